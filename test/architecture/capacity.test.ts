import { coefficients, type Coefficient } from '@freshet/freshet/capacity/coefficients'
import { describe, expect, it } from 'vitest'
import { readRecords } from '../results/record.ts'

const records = readRecords()
/** A rerun on another machine may move a cost by so much before the model has to follow. Bytes do not move. */
const tolerance = { time: 0.5, bytes: 0.1 }

const measured = Object.entries(coefficients as Readonly<Record<string, Coefficient>>).flatMap(([name, coefficient]) =>
  coefficient.source.kind === 'measured' ? [{ name, coefficient, source: coefficient.source }] : [],
)

describe('coefficients of freshet capacity', () => {
  it.each(measured)(
    '$name is what the results say',
    ({ coefficient: { value, unit }, source: { section, key, quote } }) => {
      const run = records.get(section)?.full
      expect(run, `no full run of ${section} is on record`).toBeDefined()
      const row = run!.rows.find((each) => each.key === key)
      if (row === undefined || run!.origin === 'by hand') {
        expect(run!.origin, `the record of ${section} has no row ${key}`).toBe('by hand')
        expect(
          run!.rows.some(({ key: name, cells }) => [name, ...cells].some((cell) => cell.includes(quote ?? key))),
        ).toBe(true)
        return
      }
      const figure = Number(/-?\d+(\.\d+)?/.exec(row.cells[0]!.replaceAll(',', ''))?.[0])
      const allowed = unit === 'bytes' ? tolerance.bytes : tolerance.time
      expect(Math.abs(value / figure - 1), `${value} in the model, ${figure} measured`).toBeLessThanOrEqual(allowed)
    },
  )

  it('predict a measured point that none of them comes from: memory of one process with 200,000 pins', () => {
    const row = records.get('soak-catalogue')?.full?.rows.find(({ key }) => key === '200,000 pins, started again')
    // By hand: before, reached, aim. By the command: reached.
    const reached = Number.parseFloat(row?.cells.at(row.cells.length > 1 ? 1 : 0) ?? '') * 1e6
    const { processMB, candidatePinBytes, blenderPinBytes, rankerPinBytes } = coefficients
    const perPin = candidatePinBytes.value + blenderPinBytes.value + rankerPinBytes.value
    const predicted = processMB.value * 1e6 + 200_000 * perPin
    expect(Math.abs(predicted / reached - 1), `${predicted} predicted, ${reached} measured`).toBeLessThan(0.3)
  })
})
