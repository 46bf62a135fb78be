import { encodeDeadLetter, encodeLateEngagement, encodePinEngagement } from '@freshet/contracts/codecs/onward'
import { counted } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { hasRelation } from '@freshet/domain/features/relations'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { allDeadLetters, lateCode, listDeadLetters, showDeadLetter } from './dead-letters.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const never = new AbortController().signal
const onError = (error: Error) => world.errors.push(error)

const clicks = async () => counted((await world.pin('p'))!.counters, actions.indexOf('click'), 'total', noonMs)

async function replay(options: { readonly dryRun?: boolean; readonly maxPerSecond?: number } = {}) {
  const { log, clock } = world
  const running = replayDeadLetters({
    log,
    clock,
    filter: allDeadLetters,
    maxPerSecond: options.maxPerSecond ?? 1000,
    dryRun: options.dryRun ?? false,
    signal: never,
    onError,
  })
  let ended = false
  void running.then(() => (ended = true))
  const startedMs = clock.now()
  while (!ended) {
    await new Promise((resolve) => setImmediate(resolve))
    if (clock.nextWake() !== null) await clock.advance(1)
  }
  await log.drain()
  return { ...(await running), tookMs: clock.now() - startedMs }
}

/** A letter as a reader that knew too little would have written it: its value is fine today. */
async function aLetterOf(
  value: Uint8Array,
  sourceTopic = 'engagements.v1',
  key = 'u',
  sourcePosition = 0,
  sourcePartition = 0,
) {
  const letter = {
    sourceTopic,
    sourcePartition,
    sourcePosition,
    key,
    value,
    code: 'CODEC_INVALID',
    message: 'action has the unknown number 15',
    schema: 'freshet.engagement.v1.Engagement',
    atMs: noonMs,
  }
  await world.log.append('dead-letters.v1', [{ key, value: encodeDeadLetter(letter), partition: null }])
}

describe('dead letters', () => {
  it('are listed once per source record and shown by their place', async () => {
    world = await anUpdaterWorld()
    await world.send({ key: 'u', value: Uint8Array.of(255), partition: null })
    await aLetterOf(aRecord().value!, 'engagements.v1', 'u', 77)
    await aLetterOf(aRecord().value!, 'engagements.v1', 'u', 77)
    const letters = await listDeadLetters({ log: world.log, filter: allDeadLetters, onError })
    expect(letters).toHaveLength(2)
    const [first] = letters
    const { partition, position } = first!
    const shown = await showDeadLetter({ log: world.log, topic: 'dead-letters.v1', partition, position, onError })
    expect({ ...shown, isReplayed: false }).toEqual(first)
    expect(
      await showDeadLetter({ log: world.log, topic: 'dead-letters.v1', partition, position: 99, onError }),
    ).toBeNull()
  })

  it('are listed by topic, code, time and key', async () => {
    world = await anUpdaterWorld()
    await aLetterOf(aRecord().value!)
    const count = async (filter: Partial<typeof allDeadLetters>) =>
      (await listDeadLetters({ log: world.log, filter: { ...allDeadLetters, ...filter }, onError })).length
    expect(await count({ sourceTopic: 'engagements.v1', code: 'CODEC_INVALID', sinceMs: noonMs, key: 'u' })).toBe(1)
    expect(await count({ sourceTopic: 'pins.v1' })).toBe(0)
    expect(await count({ code: 'OTHER' })).toBe(0)
    expect(await count({ sinceMs: noonMs + 1 })).toBe(0)
    expect(await count({ key: 'v' })).toBe(0)
  })

  it('are replayed once, however often', async () => {
    world = await anUpdaterWorld()
    await aLetterOf(aRecord().value!)
    expect(await replay()).toMatchObject({ matched: 1, replayed: 1, stillBad: 0 })
    await replay()
    expect(await clicks()).toBe(1)
  })

  it('of the second stage are replayed once, too', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord())
    const source = { partition: 0, position: 0, index: 0 }
    const value = encodePinEngagement({ engagement: anEngagement(), receivedAtMs: 0, source })
    await aLetterOf(value, 'pin-engagements.v1', 'p')
    await replay()
    await replay()
    expect(await clicks()).toBe(2)
  })

  it('of the second stage that are batches, which an updater of before put aside, are replayed once, too', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord())
    const [sent] = await world.records('pin-engagements.v1')
    await aLetterOf(sent!.value!, 'pin-engagements.v1', sent!.key, 7, partitionOf('p', world.partitions))
    expect(await replay()).toMatchObject({ matched: 1, replayed: 1, stillBad: 0 })
    await replay()
    expect(await clicks()).toBe(2)
  })

  it('that are still bad stay where they are, and a dry run sends nothing', async () => {
    world = await anUpdaterWorld()
    await world.send({ key: 'u', value: Uint8Array.of(255), partition: null })
    await aLetterOf(aRecord().value!)
    expect(await replay({ dryRun: true })).toMatchObject({ matched: 2, replayed: 0, stillBad: 1 })
    expect(await world.pin('p')).toBeNull()
    expect(await replay()).toMatchObject({ matched: 2, replayed: 1, stillBad: 1 })
    expect(await listDeadLetters({ log: world.log, filter: allDeadLetters, onError })).toHaveLength(2)
  })

  it('are replayed no faster than asked', async () => {
    world = await anUpdaterWorld()
    for (let position = 0; position < 11; position++) await aLetterOf(aRecord().value!, 'engagements.v1', 'u', position)
    expect((await replay({ maxPerSecond: 20 })).tookMs).toBeGreaterThanOrEqual(10 * 50)
  })

  it('A1: of events that an earlier version took for too late are listed, shown and replayed, once however often', async () => {
    world = await anUpdaterWorld()
    const hide = anEngagement({ action: 'hide', occurredAtMs: noonMs - 26 * 3_600_000 })
    const late = {
      engagement: hide,
      receivedAtMs: noonMs,
      sourcePartition: 2,
      sourcePosition: 7,
      lateByMs: 26 * 3_600_000,
    }
    await world.log.append('engagements-late.v1', [{ key: 'u', value: encodeLateEngagement(late), partition: null }])
    await aLetterOf(aRecord().value!)
    const letters = await listDeadLetters({ log: world.log, filter: allDeadLetters, onError })
    expect(letters.map(({ topic, code }) => [topic, code])).toContainEqual(['engagements-late.v1', lateCode])
    const only = { ...allDeadLetters, sourceTopic: 'engagements-late.v1' }
    const [letter] = await listDeadLetters({ log: world.log, filter: only, onError })
    expect(letter).toMatchObject({ key: 'u', sourceTopic: 'engagements.v1', sourcePartition: 2, sourcePosition: 7 })
    const { topic, partition, position } = letter!
    const shown = await showDeadLetter({ log: world.log, topic, partition, position, onError })
    expect({ ...shown, isReplayed: false }).toEqual(letter)
    expect(await replay()).toMatchObject({ matched: 2, replayed: 2, stillBad: 0 })
    await replay()
    const user = (await world.user('u'))!
    expect(hasRelation(user.relations, 'hide-pin', 'p')).toBe(true)
    expect(counted(user.counters, actions.indexOf('hide'), 'total', noonMs)).toBe(1)
    expect(world.errors).toEqual([])
  })
})
