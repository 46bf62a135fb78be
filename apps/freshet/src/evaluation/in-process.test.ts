import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { topicLayouts } from '@freshet/contracts/topics'
import { mix32 } from '@freshet/domain/hash'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { expect, it } from 'vitest'
import { createEmbedded } from '../embedded.ts'
import { memoryPlatform } from '../memory-platform.ts'
import type { Ask } from './evaluate.ts'
import { createInProcessTarget } from './in-process.ts'
import { parseLine, type Question } from './recording.ts'
import { toRequest } from './request.ts'
import type { RankedPage } from './training-rows.ts'

const startMs = Date.UTC(2026, 0, 1)
const clicks = 600
const everyMs = 60_000
const options = { ask: { kind: 'source', sources: ['pin2vec'] } satisfies Ask, repeats: true, depth: 20 }
const config = { trainer: { dimensions: 16, maxPins: 1_000 } }

/** The n-th click, a minute after the one before: users of five tastes with twelve pins each. */
function clickOf(n: number): Record<string, unknown> {
  const user = mix32(n >> 2) % 50
  const pinId = `p${(user % 5) * 12 + (mix32(n) % 12)}`
  const occurredAt = new Date(startMs + n * everyMs).toISOString()
  return { eventId: `e${n}`, userId: `u${user}`, sessionId: `s${n >> 2}`, action: 'click', pinId, occurredAt }
}

function questionOf(n: number): Question {
  const { occurredAt: at, userId, sessionId, pinId: target } = clickOf(n)
  const line = parseLine(JSON.stringify({ question: { at, userId, sessionId, target } }), 'test:1')
  if (line.kind !== 'question') throw new Error('not a question')
  return line.question
}

/** What Pin2Vec answers in services that learn from the log as they do in production. */
async function answersOfLivePath(): Promise<readonly (readonly string[])[]> {
  const clock = createVirtualClock(startMs - 1)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({ clock })
  // One partition: what is learned depends on the order in which users' events come.
  await log.applyTopics(topicLayouts(1))
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const errors: unknown[] = []
  const embedded = createEmbedded({
    platform: memoryPlatform({ log, store, clock }),
    models,
    config: {
      ...config,
      candidates: { retrieval: { showUnlistedPins: true } },
      blender: { showUnlistedPins: true, retrieveBudgetMs: 30_000, defaultTimeoutMs: 60_000 },
    },
    pause: () => Promise.resolve(),
    onError: (_part, error) => errors.push(error),
  })
  await embedded.start()
  const answers: (readonly string[])[] = []
  for (let n = 0; n < clicks; n++) {
    const parsed = parseEngagementJson(clickOf(n), 'engagement')
    if (!parsed.ok) throw new Error(parsed.problem.message)
    const { engagement } = parsed
    await clock.set(engagement.occurredAtMs)
    if (n >= clicks / 2) {
      const put = toRequest(questionOf(n), options, [])
      if (put.kind !== 'feed') throw new Error('not a feed')
      const { items } = await embedded.blender.getFeed(put.request, { timeoutMs: 60_000 })
      answers.push(items.map(({ pinId }) => pinId))
    }
    const value = encodeEngagement(engagement, engagement.occurredAtMs)
    await log.append('engagements.v1', [{ key: engagement.userId, value, partition: null }])
    await log.drain()
  }
  await embedded.stop()
  expect(errors).toEqual([])
  return answers
}

it('A5: an evaluation has one trainer, and its Pin2Vec answers like the Pin2Vec of the live path', async () => {
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const target = await createInProcessTarget({ ...options, models, config, refresh: 'event', partitions: 1 })
  const answers: (readonly string[])[] = []
  for (let n = 0; n < clicks; n++) {
    if (n >= clicks / 2) answers.push((await target.ask(questionOf(n))).pinIds)
    await target.engagement(clickOf(n), `line ${n}`)
  }
  await target.close()
  expect(answers.filter((pinIds) => pinIds.length > 0).length).toBeGreaterThan(clicks / 4)
  expect(answers).toEqual(await answersOfLivePath())
}, 60_000)

it('shows who writes training rows the features of every candidate that the ranker was asked about', async () => {
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const pages: RankedPage[] = []
  const target = await createInProcessTarget({
    ...options,
    ask: { kind: 'feed' },
    onRanked: (_, page) => Promise.resolve(void pages.push(page)),
    models,
    config,
    refresh: 'event',
    partitions: 1,
  })
  for (let n = 0; n < 100; n++) await target.engagement(clickOf(n), `line ${n}`)
  await target.ask(questionOf(100))
  await target.close()
  const [{ request, response }] = pages as [RankedPage]
  const width = response.featureNames.length
  expect(request.pinIds.length * width).toBeGreaterThan(100)
  expect(response.features.byteLength).toBe(4 * request.pinIds.length * width)
  expect(response.facts.map(({ counts }) => counts.byteLength / 2)).toEqual(
    response.facts.map(() => request.pinIds.length),
  )
})
