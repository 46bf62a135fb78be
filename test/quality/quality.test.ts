import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digineticaLines, writeRecording } from './convert.ts'
import { evaluateRow } from './run.ts'

const folder = join(import.meta.dirname, '../../../shared/data/diginetica')

if (!existsSync(folder)) {
  describe.skip('quality on two periods of DIGINETICA (skipped: ../shared/data/diginetica is not there)', () => {
    it.todo('needs the data')
  })
} else {
  /** The small form of `npm run quality`: learned from the beginning of one period, asked in that of the next. */
  describe('quality on two periods of DIGINETICA', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'freshet-quality-'))
    const recording = join(scratch, 'two.jsonl')
    const base = { refresh: 'event', repeats: 'allow' } as const

    beforeAll(async () => {
      await writeRecording(digineticaLines(folder, [0, 1], 12_000), recording)
    })
    afterAll(() => {
      rmSync(scratch, { recursive: true })
    })

    it('co-occurrence finds far more than popularity, session neighbours at least as much again', async () => {
      const hits = async (source: string): Promise<number> => {
        const { metrics, questions } = await evaluateRow(
          { ...base, ask: `source:${source}`, sources: [source] },
          recording,
          10,
        )
        expect(questions).toBeGreaterThan(300)
        return metrics['hr@20']!
      }
      const popularity = await hits('popularity')
      const coOccurrence = await hits('co-occurrence')
      const neighbours = await hits('session-neighbours')
      expect(popularity).toBeGreaterThan(0)
      expect(coOccurrence).toBeGreaterThan(5 * popularity)
      expect(neighbours).toBeGreaterThanOrEqual(coOccurrence - 0.01)
    })

    it('the ranked feed keeps most of what the candidates hold', async () => {
      const hits = async (ask: string): Promise<number> => {
        const { metrics } = await evaluateRow({ ...base, ask, sources: null }, recording, 10)
        return metrics['hr@20']!
      }
      expect(await hits('feed')).toBeGreaterThan(0.85 * (await hits('candidates')))
    })

    it('two runs give the same ranks', async () => {
      const ranks = async (name: string): Promise<string[]> => {
        const file = join(scratch, name)
        await evaluateRow({ ...base, ask: 'candidates', sources: null }, recording, 60, ['--answers', file])
        return readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => line.replace(/"latencyMs":[\d.e-]+/, ''))
      }
      const first = await ranks('first.jsonl')
      expect(first.length).toBeGreaterThan(50)
      expect(await ranks('second.jsonl')).toEqual(first)
    })
  })
}
