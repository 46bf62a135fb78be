import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { expect, test } from 'vitest'
import type { EmbeddedConfig } from '../embedded.ts'
import type { Ask } from './evaluate.ts'
import { createInProcessTarget } from './in-process.ts'
import { withNamedSources } from './named-sources.ts'
import { parseLine, type Question } from './recording.ts'

const off = {
  candidates: { retrieval: { sources: { popularity: { enabled: false, share: 0.5 }, trending: { share: 2 } } } },
} as unknown as EmbeddedConfig
const popularity: Ask = { kind: 'source', sources: ['popularity'] }

function aQuestion(): Question {
  const question = { at: '2026-01-01T01:00:00.000Z', userId: 'asker', target: 'p' }
  const line = parseLine(JSON.stringify({ question }), 'test:1')
  if (line.kind !== 'question') throw new Error('not a question')
  return line.question
}

async function answersOf(config: EmbeddedConfig, asks: readonly Ask[]): Promise<readonly (readonly string[])[]> {
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const options = { ask: asks[0]!, repeats: null, depth: 5, models, refresh: 'event', partitions: 1 } as const
  const target = await createInProcessTarget({ ...options, config: { ...config, trainer: null } })
  try {
    const click = { eventId: 'e', userId: 'u', action: 'click', pinId: 'p', occurredAt: '2026-01-01T00:00:00.000Z' }
    await target.engagement(click, 'test:2')
    const answers: (readonly string[])[] = []
    for (const ask of asks) answers.push((await target.ask(aQuestion(), ask)).pinIds)
    return answers
  } finally {
    await target.close()
  }
}

test('a source that is off answers once an ask names it, and keeps its other settings', async () => {
  const { config, switchedOn } = withNamedSources(off, [popularity])
  expect(switchedOn).toEqual(['popularity'])
  expect(config.candidates?.retrieval).toEqual({
    sources: { popularity: { enabled: true, share: 0.5 }, trending: { share: 2 } },
  })
  await expect(answersOf(off, [popularity])).rejects.toThrow(/popularity/)
  expect(await answersOf(config, [popularity])).toEqual([['p']])
}, 60_000)

test('an ask without a source leaves out the sources that are off too', async () => {
  const without: Ask = { kind: 'without', sources: ['trending'] }
  const { config, switchedOn } = withNamedSources(off, [without])
  expect(switchedOn).toEqual([])
  const [answer] = await answersOf(config, [without])
  expect(answer).toEqual([])
}, 60_000)

test('sources that are on, and settings without an ask that names a source, stay as they are', () => {
  expect(withNamedSources({}, [popularity])).toEqual({ config: {}, switchedOn: [] })
  expect(withNamedSources(off, [{ kind: 'candidates' }])).toEqual({ config: off, switchedOn: [] })
})
