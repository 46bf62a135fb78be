import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { writingAs } from '@freshet/contracts/origin'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import { afterEach, expect, it } from 'vitest'
import { allDeadLetters } from './dead-letters.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'
import { anUpdaterWorld, aRecord, type UpdaterWorld } from './testing.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const trace = Object.freeze({ traceparent, tracestate: 'congo=t61rcWkgMzE' })
const ofIngest = { origin: 'event-ingest/0.1.0', schema: '1' }

let world: UpdaterWorld
afterEach(() => world?.stop())

const headersOf = async (topic: TopicName) => (await world.records(topic)).map(({ headers }) => headers)

it('the trace of an engagement goes on to what is re-keyed by pin, without what its writer said of itself', async () => {
  world = await anUpdaterWorld()
  await world.send({ ...aRecord(), headers: { ...ofIngest, ...trace } })
  const rekeyed = await headersOf('pin-engagements.v1')
  expect(rekeyed.length).toBeGreaterThan(0)
  expect(new Set(rekeyed.map((headers) => JSON.stringify(headers)))).toEqual(new Set([JSON.stringify(trace)]))
})

it('the trace of a record that cannot be read goes on to its dead letter, and from there to its replay', async () => {
  world = await anUpdaterWorld()
  await world.send({ key: 'u', value: Uint8Array.of(255), partition: null, headers: { ...ofIngest, ...trace } })
  expect(await headersOf('dead-letters.v1')).toEqual([trace])
  // As if a later version could read it: the letter of a good record.
  const [letter] = await world.records('dead-letters.v1')
  expect(letter?.headers).toEqual(trace)
  const onError = (error: Error) => {
    throw error
  }
  const replay = {
    log: world.log,
    clock: world.clock,
    filter: allDeadLetters,
    maxPerSecond: 1e6,
    dryRun: false,
    onError,
  }
  const report = await replayDeadLetters({ ...replay, signal: new AbortController().signal })
  expect(report).toMatchObject({ matched: 1, stillBad: 1 })
})

it('a trace that is none, or none at all, leads to no headers', async () => {
  world = await anUpdaterWorld()
  await world.send({ ...aRecord(), headers: { ...ofIngest, traceparent: 'nonsense', tracestate: 'x'.repeat(1_900) } })
  await world.send(aRecord())
  expect(new Set((await headersOf('pin-engagements.v1')).map((headers) => JSON.stringify(headers)))).toEqual(
    new Set(['{}']),
  )
})

it('whoever writes through a log of its own adds who it is to what the records carry on', async () => {
  world = await anUpdaterWorld()
  const log = createMemoryEventLog({ clock: world.clock })
  await log.applyTopics(topicLayouts(1))
  await writingAs(log, 'feature-updater', '0.1.0').append('pin-engagements.v1', [{ ...aRecord(), headers: trace }])
  const found: unknown[] = []
  await log.readAll({
    topics: ['pin-engagements.v1'],
    maxBatchRecords: 10,
    startAt: () => null,
    onError: (error) => found.push(error),
    onBatch: async ({ records }) => void found.push(...records.map(({ headers }) => headers)),
  })
  await log.drain()
  await log.close()
  expect(found).toEqual([{ origin: 'feature-updater/0.1.0', schema: '2', ...trace }])
})
