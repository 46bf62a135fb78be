import { describe, expect, it } from 'vitest'
import { accessRows } from './access.ts'
import type { Bench } from './bench.ts'
import { benchmarks } from './benchmarks.ts'
import { ingestRows } from './ingest.ts'
import { getFeedRows } from './get-feed.ts'
import { modelScoreRows } from './model-scores.ts'
import { planRows } from './plan.ts'
import { rankRows } from './rank.ts'
import { retrieveRows } from './retrieve.ts'
import { comparedRow, plainRow, type BenchRow } from './row.ts'
import { aimReached, formatTable } from './table.ts'
import { trainingRowsPerSecond } from './training.ts'
import { shardRows } from './shards.ts'
import { updaterLmdbRows } from './updater-throughput.ts'

const quick: Bench = { quick: true, say: () => undefined }

/** The cheapest of them; the others need minutes, or Kafka and Redis. */
const cheap: Readonly<Record<string, (bench: Bench) => Promise<BenchRow[]>>> = {
  GetFeed: getFeedRows,
  ingest: ingestRows,
  updater: updaterLmdbRows,
  plan: planRows,
  'model scores': modelScoreRows,
  Rank: rankRows,
  training: trainingRowsPerSecond,
  Retrieve: retrieveRows,
  shards: shardRows,
  access: accessRows,
}

describe('benchmarks, at small sizes', () => {
  for (const [name, rowsOf] of Object.entries(cheap)) {
    it(`of ${name} run and print figures`, { timeout: 60_000 }, async () => {
      const rows = await rowsOf(quick)
      expect(rows.length).toBeGreaterThan(0)
      for (const { name: row, value, ratio, unit } of rows) {
        expect(Number.isFinite(value) && value >= 0, `${row}: ${value}`).toBe(true)
        expect(ratio === null || (Number.isFinite(ratio) && ratio > 0), `${row}: ratio ${ratio}`).toBe(true)
        expect(unit).not.toBe('')
      }
    })
  }

  it('have different names', () => {
    expect(new Set(benchmarks.map(({ name }) => name)).size).toBe(benchmarks.length)
  })
})

describe('the table', () => {
  const slow = comparedRow({
    name: 'slow',
    value: 7,
    unit: 'ms',
    reference: 'floor',
    referenceValue: 1,
    aim: 'ratio ≤ 6',
    note: 'both',
  })

  it('says what is below its aim and what reached it', () => {
    expect(aimReached(slow)).toBe(false)
    expect(aimReached({ ...slow, value: 6, ratio: 6 })).toBe(true)
    expect(aimReached(plainRow('x', 10, 'steps/s', '≥ 10', ''))).toBe(true)
    expect(aimReached(plainRow('x', 150, 'ms', '< 150', ''))).toBe(false)
    expect(aimReached(plainRow('x', NaN, 'ms', '< 150', ''))).toBe(false)
    expect(aimReached(plainRow('x', 1, 'ns', 'O(1)', ''))).toBe(null)
    expect(formatTable([slow])).toContain('BELOW THE AIM')
  })

  it('gives each row a line and each note once', () => {
    const lines = formatTable([slow, { ...slow, name: 'slow too' }]).split('\n')
    expect(lines.filter((line) => line.includes('slow')).length).toBe(2)
    expect(lines.filter((line) => line === '[1] both').length).toBe(1)
  })
})
