import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import { decodeDeadLetter, encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { decodePartitionMeta, recordOutcomes } from '@freshet/contracts/codecs/partition-meta'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { counted } from '@freshet/domain/decay'
import { actions, type Action } from '@freshet/domain/engagement'
import { hasRelation } from '@freshet/domain/features/relations'
import { hasSeen } from '@freshet/domain/features/seen'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { defaultUserLimits, foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import { afterEach, describe, expect, it } from 'vitest'
import { rebuildState } from './rebuild.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'
import { handoverBytes } from './handover-bytes.ts'
import { decodeUserState, encodeUserState } from '@freshet/contracts/codecs/user-state'
import { updaterConfigOf } from './config.ts'

const minuteMs = 60_000
let world: UpdaterWorld | null = null
afterEach(async () => {
  await world?.stop()
  world = null
})

function act(userId: string, action: Action, pinId: string, minutes: number): NewRecord {
  const subject = { kind: 'pin', pinId: asId<PinId>(pinId) } as const
  const occurredAtMs = noonMs + minutes * minuteMs
  return aRecord({ userId: asId<UserId>(userId), action, subject, occurredAtMs }, occurredAtMs)
}

function merge(fromUserId: string, intoUserId: string, minutes: number): NewRecord {
  const atMs = noonMs + minutes * minuteMs
  const value = encodeMergeRequest({ fromUserId, intoUserId, occurredAtMs: atMs, receivedAtMs: atMs })
  return { key: fromUserId, value, partition: null }
}

const clicks = (state: UserState | null): number =>
  state === null ? 0 : counted(state.counters, actions.indexOf('click'), 'total', noonMs)
const pins = (state: UserState | null): readonly string[] => state?.recent.pinIds ?? []

/** Where each record of the partition of a user went. */
async function outcomes(of: UpdaterWorld): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (let partition = 0; partition < of.partitions; partition++) {
    const { meta } = await of.store.readForFold({ ...nothingElse, scope: 'user.1', partition })
    for (const outcome of recordOutcomes) {
      const count = decodePartitionMeta(meta).counts[outcome]
      if (count > 0) sums[outcome] = (sums[outcome] ?? 0) + count
    }
  }
  return sums
}

async function refusals(of: UpdaterWorld): Promise<readonly string[]> {
  return (await of.records('dead-letters.v1')).map(({ value }) => decodeDeadLetter(value ?? new Uint8Array(0)).code)
}

describe('merging users', () => {
  it('gives the known user what the anonymous one did, in the order in which it happened', async () => {
    world = await anUpdaterWorld()
    await world.send(act('known', 'click', 'p1', 0), act('anon', 'click', 'p2', 1), act('known', 'click', 'p3', 2))
    await world.send(act('anon', 'hide', 'p4', 3), merge('anon', 'known', 4))
    const known = await world.user('known')
    expect(pins(known)).toEqual(['p1', 'p2', 'p3', 'p4'])
    expect(clicks(known)).toBe(3)
    expect(hasRelation(known!.relations, 'hide-pin', 'p4')).toBe(true)
    expect(await outcomes(world)).toEqual({ applied: 5, handover: 1 })
  })

  it('leaves what must never be shown with the anonymous id, and nothing that counts', async () => {
    world = await anUpdaterWorld()
    await world.send(act('anon', 'hide', 'p1', 0), act('anon', 'click', 'p2', 1), merge('anon', 'known', 2))
    const left = await world.user('anon')
    expect(hasRelation(left!.relations, 'hide-pin', 'p1')).toBe(true)
    expect(hasSeen(left!.seen, 'p2')).toBe(true)
    expect([pins(left), clicks(left)]).toEqual([[], 0])
  })

  it('changes nothing the second time', async () => {
    world = await anUpdaterWorld()
    await world.send(act('anon', 'click', 'p1', 0), merge('anon', 'known', 1))
    const once = await world.user('known')
    await world.send(merge('anon', 'known', 2), merge('anon', 'known', 2))
    expect(await world.user('known')).toEqual(once)
  })

  it('sends later events of the anonymous id after it, each once, and those after the time limit with the next merge', async () => {
    world = await anUpdaterWorld({ fold: { mergeForwardMs: 10 * minuteMs } })
    const repeated = act('anon', 'click', 'p2', 6)
    await world.send(act('anon', 'click', 'p1', 0), merge('anon', 'known', 5), repeated, repeated)
    await world.send(act('anon', 'hide', 'p3', 7))
    expect(pins(await world.user('known'))).toEqual(['p1', 'p2', 'p3'])
    expect(hasRelation((await world.user('anon'))!.relations, 'hide-pin', 'p3')).toBe(true)

    await world.send(act('anon', 'click', 'p4', 16))
    expect(pins(await world.user('known'))).toEqual(['p1', 'p2', 'p3'])
    expect(pins(await world.user('anon'))).toEqual(['p4'])
    await world.send(merge('anon', 'known', 20))
    expect([pins(await world.user('known')), clicks(await world.user('known'))]).toEqual([['p1', 'p2', 'p3', 'p4'], 3])
    expect(pins(await world.user('anon'))).toEqual([])
  })

  it('counts an event for pins once, though it follows a merge', async () => {
    world = await anUpdaterWorld()
    await world.send(act('anon', 'click', 'p', 0), merge('anon', 'known', 1), act('anon', 'click', 'p', 2))
    expect(counted((await world.pin('p'))!.counters, actions.indexOf('click'), 'total', noonMs)).toBe(2)
  })

  it('goes through a chain, whichever merge came first', async () => {
    for (const order of [
      [merge('a', 'b', 5), merge('b', 'c', 6)],
      [merge('b', 'c', 5), merge('a', 'b', 6)],
    ]) {
      world = await anUpdaterWorld()
      await world.send(act('a', 'click', 'pa', 0), act('b', 'click', 'pb', 1), act('c', 'click', 'pc', 2))
      for (const one of order) await world.send(one)
      await world.send(act('a', 'click', 'late', 7))
      expect(pins(await world.user('c'))).toEqual(['pa', 'pb', 'pc', 'late'])
      expect([pins(await world.user('a')), pins(await world.user('b'))]).toEqual([[], []])
      await world.stop()
    }
    world = null
  })

  it('refuses a circle and a second person by name, and leaves both users as they are', async () => {
    world = await anUpdaterWorld()
    await world.send(act('a', 'click', 'pa', 0), act('b', 'click', 'pb', 1), merge('a', 'b', 2))
    await world.send(merge('b', 'c', 3))
    await world.send(merge('c', 'a', 4), merge('a', 'd', 5))
    expect((await refusals(world)).toSorted()).toEqual(['MERGE_CONFLICT', 'MERGE_CYCLE'])
    expect(pins(await world.user('c'))).toEqual(['pa', 'pb'])
    expect(await world.user('d')).toBeNull()
    expect(await outcomes(world)).toMatchObject({ applied: 4, deadLettered: 2 })
  })

  it('loses and doubles nothing when two users are merged into each other at the same time', async () => {
    world = await anUpdaterWorld()
    await world.send(act('a', 'click', 'pa', 0), act('b', 'click', 'pb', 1))
    await world.send(merge('a', 'b', 2), merge('b', 'a', 2))
    await world.send(act('a', 'click', 'later', 3))
    const [a, b] = [await world.user('a'), await world.user('b')]
    expect([...pins(a), ...pins(b)].toSorted()).toEqual(['later', 'pa', 'pb'])
    expect(clicks(a) + clicks(b)).toBe(3)
  })

  it('is dropped for a user who was erased, and an erasure of the known user takes what came from the anonymous one', async () => {
    world = await anUpdaterWorld()
    const erase = (userId: string, minutes: number) => {
      const value = encodeUserErasure({ userId: asId<UserId>(userId), erasedAtMs: noonMs + minutes * minuteMs })
      return world!.log.append('erasures.v1', [{ key: userId, value, partition: null }])
    }
    await world.send(act('anon', 'click', 'p1', 0), merge('anon', 'known', 1))
    await erase('known', 2)
    await world.log.drain()
    expect(await world.user('known')).toBeNull()
    await world.send(act('other', 'click', 'p2', 1), merge('other', 'known', 3))
    expect(pins(await world.user('known'))).toEqual([])
    await world.send(act('new', 'click', 'p3', 4), merge('new', 'known', 5))
    expect(pins(await world.user('known'))).toEqual(['p3'])
    await erase('gone', 6)
    await world.log.drain()
    await world.send(act('gone', 'click', 'p4', 4), merge('gone', 'known', 5))
    expect(pins(await world.user('known'))).toEqual(['p3'])
    expect(await outcomes(world)).toMatchObject({ erased: 2 })
  })

  it('is the same after a rebuild, and a dead-lettered merge can be replayed', async () => {
    world = await anUpdaterWorld()
    await world.send(act('a', 'click', 'p1', 0), merge('a', 'b', 1), act('a', 'save', 'p2', 2), merge('b', 'c', 3))
    await world.send(act('b', 'click', 'p3', 4), act('a', 'click', 'p4', 5))
    const report = await rebuildState({
      log: world.log,
      store: world.store,
      clock: world.clock,
      config: updaterConfigOf({}),
      family: 'user',
      generation: null,
      signal: new AbortController().signal,
      onError: (error) => {
        throw error
      },
    })
    expect(report).toMatchObject({ identical: true, compared: 3 })

    await world.send(merge('c', 'a', 6))
    const filter = { sourceTopic: null, code: null, sinceMs: null, key: null }
    const replay = { log: world.log, clock: world.clock, filter, maxPerSecond: 1e9, dryRun: false }
    const { signal } = new AbortController()
    const onError = (error: Error) => world!.errors.push(error)
    expect(await replayDeadLetters({ ...replay, signal, onError })).toMatchObject({
      matched: 1,
      replayed: 1,
      stillBad: 0,
    })
    await world.log.drain()
    expect(await refusals(world)).toEqual(['MERGE_CYCLE', 'MERGE_CYCLE'])
  })

  it('hands over at most what one record of the log holds: the oldest hides known by hash go first', () => {
    const hides = Array.from({ length: 1000 }, (_, n) =>
      anEngagement({ action: 'hide', subject: { kind: 'pin', pinId: asId<PinId>(`p${n}`) }, occurredAtMs: noonMs + n }),
    )
    const limits = { ...defaultUserLimits, maxRelationsPerKind: 5, maxMergedFrom: 1 }
    const state = foldUser(newUserState, hides, limits)
    const whole = encodeUserState(state, limits)
    expect(handoverBytes(state, limits)).toEqual(whole)
    const bytes = handoverBytes(state, limits, whole.length / 3)
    expect(bytes.length).toBeLessThanOrEqual(whole.length / 3)
    const { relations } = decodeUserState(bytes)
    expect(['p999', 'p990', 'p0'].map((id) => hasRelation(relations, 'hide-pin', id))).toEqual([true, true, false])
  })
})
