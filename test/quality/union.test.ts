import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { writeRecording } from './convert.ts'
import { runFreshet } from './freshet.ts'
import { linesOfShape, tasteShapes, type Shape } from './shape-tastes.ts'

const sources = ['session-neighbours', 'co-occurrence', 'pixie-walk', 'long-term-walk', 'pin2vec', 'popularity']

/** Share of questions whose pin was among the first twenty, by what was asked. */
async function hitRates(shape: Shape): Promise<ReadonlyMap<string, number>> {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-union-'))
  const file = join(scratch, 'recording.jsonl')
  await writeRecording(linesOfShape(shape), file)
  const asked = ['candidates', ...sources.map((name) => `source:${name}`)].join(',')
  const output = await runFreshet([
    'evaluate',
    file,
    '--ask',
    asked,
    '--repeats',
    shape.repeats,
    '--every',
    '8',
    '--json',
  ])
  rmSync(scratch, { recursive: true })
  const reports = output
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { ask: string; metrics: Readonly<Record<string, number>> })
  return new Map(reports.map(({ ask, metrics }) => [ask, metrics['hr@20'] ?? 0]))
}

// Both are smaller than the shapes they come from, so that they take seconds; a source that is bad in one is good in the other.
const small: Readonly<Record<string, Shape>> = {
  'long histories': { ...(tasteShapes['long histories'] as Shape), events: 12_000, users: 100 },
  news: { ...(tasteShapes['news'] as Shape), events: 12_000 },
}

describe('the union of all sources finds what the best of them finds', () => {
  test.each(Object.entries(small))('%s', { timeout: 300_000 }, async (_name, shape) => {
    const rates = await hitRates(shape)
    const union = rates.get('candidates') ?? 0
    const best = Math.max(...sources.map((name) => rates.get(`source:${name}`) ?? 0))
    expect(best).toBeGreaterThan(0.03)
    expect(union).toBeGreaterThanOrEqual(0.97 * best)
  })
})
