import { mix32 } from '@freshet/domain/hash'
import { expect, test } from 'vitest'

import { createRates, rateHalfLivesMs, type Rates } from './rates.ts'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const minuteMs = 60_000
const pins = 200

/** Actions a minute apart on one of five pins; the five pins change every `periodMinutes`. */
function run(rates: Rates, periodMinutes: number, minutes = 20_000): void {
  for (let n = 0; n < minutes; n++) {
    const period = Math.floor(n / periodMinutes)
    const row = mix32(period * 5 + (mix32(n) % 5)) % pins
    if (n % 16 === 0) {
      const example = new Int32Array(rateHalfLivesMs.length)
      rates.examine(row, example)
      rates.learn(example)
    }
    rates.fold(row, n * minuteMs)
  }
}

test('A29: short half-lives weigh most if popular pins change by the hour, long ones if they never change', () => {
  const [news, classics] = [createRates(), createRates()]
  run(news, 120)
  run(classics, 1e9)
  const short = (rates: Rates): number => (rates.weights[0] ?? 0) + (rates.weights[1] ?? 0)
  expect(short(news)).toBeGreaterThan(0.8)
  expect(short(classics)).toBeLessThan(0.2)
  for (const rates of [news, classics]) expect(rates.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1)
})

test('a restored snapshot is equal and keeps learning in the same way', () => {
  const rates = createRates()
  run(rates, 120, 2_000)
  const restored = createRates()
  restored.load(decodeSnapshot(encodeSnapshot((writer) => rates.save(writer))))
  for (const each of [rates, restored]) run(each, 50, 500)
  expect(restored.weights).toEqual(rates.weights)
  for (let row = 0; row < pins; row++) expect(restored.shareOf(row)).toBe(rates.shareOf(row))
})

test('the shares of many rows are those of each row, to the last bit', () => {
  const rates = createRates()
  run(rates, 120, 2_000)
  const rows = Int32Array.from({ length: pins }, (_, row) => (row * 7) % pins)
  const shares = new Float64Array(pins).fill(7)
  rates.readShares(rows, pins, shares)
  expect([...shares]).toEqual(Array.from(rows, rates.shareOf))
})
