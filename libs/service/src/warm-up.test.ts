import { expect, test } from 'vitest'
import { warmUp } from './warm-up.ts'

test('the service answers requests of its own only when it is ready', async () => {
  let looks = 0
  const readyAt: number[] = []
  await warmUp({
    unready: () => (looks++ < 3 ? 'reading' : null),
    ask: async () => readyAt.push(looks),
  })
  expect(Math.min(...readyAt)).toBe(4)
  expect(readyAt.length).toBeGreaterThanOrEqual(50)
})

test('errors of its own requests do not keep it from listening', async () => {
  let asked = 0
  await warmUp({
    unready: () => null,
    ask: async () => {
      asked++
      throw new Error('no candidates')
    },
  })
  expect(asked).toBe(50)
})

test('with a limit it listens though it is not ready, and asks nothing', async () => {
  let asked = 0
  await warmUp({ unready: () => 'no candidate service', ask: async () => asked++, maxWaitMs: 50 })
  expect(asked).toBe(0)
})

test('slow requests of its own end with the time for them', async () => {
  let asked = 0
  const ask = () => new Promise((resolve) => (asked++, setTimeout(resolve, 20)))
  await warmUp({ unready: () => null, ask, maxAskMs: 60 })
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThan(10)
})
