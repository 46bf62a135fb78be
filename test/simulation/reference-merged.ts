import { isDeepStrictEqual } from 'node:util'
import { decodePartitionMeta, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodeUserMerge, isUserMerge, type Handover, type MergeRequest } from '@freshet/contracts/codecs/user-merge'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import type { Engagement } from '@freshet/domain/engagement'
import { partitionOf } from '@freshet/domain/partition'
import { pinStateKeys } from '@freshet/domain/pin-state'
import { foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import type { Sent } from './dead-letters.ts'
import { pinActOf } from './onward-rows.ts'
import { noOutcomes, receivedOf } from './reference-erased.ts'
import { pinViolations, repeats, type Scopes } from './reference.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'
import { maxAheadMs, mergingFold, mergingLimits } from './workload.ts'

/** A user, as lists of what happened: nothing is merged here, events only change their owner. */
interface Person {
  /** Everything that counts for this user. */
  owned: readonly Engagement[]
  /** What stays for filters only: it was handed over. */
  kept: readonly Engagement[]
  into: { readonly userId: string; readonly atMs: number } | null
  from: ReadonlySet<string>
}

/** What one record had to hand over. */
interface Due {
  readonly into: string
  readonly path: readonly string[]
  readonly owned: readonly Engagement[]
  readonly kept: readonly Engagement[]
  readonly from: ReadonlySet<string>
}

interface Part {
  readonly records: readonly LogRecord[]
  at: number
  readonly counts: Record<RecordOutcome, number>
  readonly onward: Map<string, Sent>
  readonly isRepeat: ReturnType<typeof repeats>
}

/** The law with merges: every event counts for exactly one user, the one into whom the others were merged. Answers every violation. */
export function violationsWithMerges(log: SimLog, store: SimStore, scopes: Scopes): readonly string[] {
  const world = play(log)
  const { problems, parts, people } = world
  parts.forEach(({ records, at, counts }, partition) => {
    if (at < records.length)
      problems.push(`user ${partition}: a handover at ${records[at]?.position} came from nothing`)
    const { position, values, meta } = store.now(scopes.user, partition)
    const end = log.end('engagements.v1', partition)
    if ((position ?? 0) !== end) problems.push(`user ${partition} stands at ${position}, not at ${end}`)
    const { counts: said } = decodePartitionMeta(meta)
    if (JSON.stringify(said) !== JSON.stringify(counts))
      problems.push(`user ${partition} counted ${JSON.stringify(said)} instead of ${JSON.stringify(counts)}`)
    for (const [userId, bytes] of values) {
      const person = people.get(userId)
      if (person === undefined) problems.push(`user ${partition}: ${userId} should not be`)
      else problems.push(...differences(userId, decodeUserState(bytes), person))
    }
    for (const userId of people.keys())
      if (partitionOf(userId, log.partitions) === partition && !values.has(userId))
        problems.push(`user ${userId} is missing`)
  })
  for (const id of world.due.keys()) if (!world.arrived.has(id)) problems.push(`${id} was never handed over`)
  return [...problems, ...pinViolations(log, store, scopes.pin, parts)]
}

interface Played {
  readonly problems: string[]
  readonly parts: readonly Part[]
  readonly people: Map<string, Person>
  readonly due: Map<string, Due>
  readonly arrived: Set<string>
}

/** Reads all partitions, each record after what led to it. */
function play(log: SimLog): Played {
  const parts = Array.from({ length: log.partitions }, (_, partition): Part => {
    const records = log.records('engagements.v1', partition)
    return { records, at: 0, counts: noOutcomes(), onward: new Map(), isRepeat: repeats() }
  })
  const played: Played = { problems: [], parts, people: new Map(), due: new Map(), arrived: new Set() }
  for (let moved = true; moved;) {
    moved = false
    parts.forEach((part, partition) => {
      for (let record = part.records[part.at]; record !== undefined; record = part.records[++part.at]) {
        if (!take(played, part, partition, record)) return
        moved = true
      }
    })
  }
  return played
}

const nobody = (): Person => ({ owned: [], kept: [], into: null, from: new Set() })

/** Takes one record in; false: what led to it was not taken yet. */
function take(played: Played, part: Part, partition: number, record: LogRecord): boolean {
  const { people, due, arrived, problems } = played
  const { key, value, position } = record
  const { counts } = part
  const id = `${partition}:${position}`
  if (value === null) {
    counts.tombstone++
    people.delete(key)
    return true
  }
  if (isUserMerge(value)) {
    const read = decodeUserMerge(value)
    if (read.kind === 'request') {
      const refused = !request(played, id, read.merge)
      counts[refused ? 'deadLettered' : 'applied']++
      return true
    }
    const source = `${read.merge.source.partition}:${read.merge.source.position}`
    const wanted = due.get(source)
    if (wanted === undefined) return false
    counts.handover++
    if (wanted.into !== key || wanted.path.join() !== read.merge.path.join()) problems.push(`${source} went to ${key}`)
    if (!arrived.has(source)) receive(played, id, read.merge, wanted)
    arrived.add(source)
    return true
  }
  const received = receivedOf(key, value)
  if (received === null) {
    counts.deadLettered++
    return true
  }
  const occurredAtMs = Math.min(received.engagement.occurredAtMs, received.receivedAtMs + maxAheadMs)
  const engagement = { ...received.engagement, occurredAtMs }
  if (part.isRepeat(`${key} ${engagement.eventId}`, received.receivedAtMs)) {
    counts.duplicate++
    return true
  }
  counts.applied++
  pinStateKeys(engagement).forEach((pinKey, index) => {
    part.onward.set(`${id}:${index}`, { key: pinKey, act: pinActOf(engagement) })
  })
  const person = people.get(key) ?? nobody()
  people.set(key, person)
  const into = followed(person, received.receivedAtMs)
  if (into === null) person.owned = [...person.owned, engagement]
  else {
    person.kept = [...person.kept, engagement]
    due.set(id, { into, path: [key], owned: [engagement], kept: [], from: new Set() })
  }
  return true
}

function request({ people, due }: Played, id: string, { fromUserId, intoUserId, receivedAtMs }: MergeRequest): boolean {
  const person = people.get(fromUserId) ?? nobody()
  if (person.into !== null && person.into.userId !== intoUserId) return false
  if (person.from.has(intoUserId)) return false
  const { owned, kept, from } = person
  due.set(id, { into: intoUserId, path: [fromUserId], owned, kept, from })
  const atMs = Math.max(receivedAtMs, person.into?.atMs ?? 0)
  people.set(fromUserId, { owned: [], kept: [...kept, ...owned], into: { userId: intoUserId, atMs }, from })
  return true
}

function receive({ people, due }: Played, id: string, { intoUserId, receivedAtMs, path }: Handover, given: Due): void {
  const person = people.get(intoUserId) ?? nobody()
  people.set(intoUserId, person)
  person.from = new Set([...person.from, ...given.from, ...path])
  const into = followed(person, receivedAtMs)
  if (into !== null && !path.includes(into)) {
    due.set(id, { ...given, into, path: [...path, intoUserId] })
    person.kept = [...person.kept, ...given.owned, ...given.kept]
  } else {
    person.owned = [...person.owned, ...given.owned]
    person.kept = [...person.kept, ...given.kept]
  }
}

function followed({ into }: Person, receivedAtMs: number): string | null {
  return into !== null && receivedAtMs - into.atMs <= mergingFold.mergeForwardMs ? into.userId : null
}

/** What in a stored state is not as the lists of events have it; weights may differ by rounding. */
function differences(userId: string, stored: UserState, { owned, kept, into, from }: Person): readonly string[] {
  const counting = foldUser(newUserState, owned, mergingLimits)
  const all = foldUser(newUserState, [...owned, ...kept], mergingLimits)
  const parts = (
    { recent, sessions, counters, boards }: UserState,
    { relations, seen, firstAtMs, lastAtMs }: UserState,
  ) => ({
    recent,
    sessions,
    countedAtMs: counters.atMs,
    boards: boards.boardIds.toSorted(),
    relations: [...relations.newest.values()],
    older: relations.older,
    seen,
    firstAtMs,
    lastAtMs,
  })
  const [found, wanted] = [parts(stored, stored), parts(counting, all)] as const
  const wrong = Object.keys(wanted).filter((part) => {
    const name = part as keyof typeof wanted
    return !isDeepStrictEqual(found[name], wanted[name])
  })
  if (counting.counters.values.some((value, at) => !isClose(value, stored.counters.values[at] ?? 0)))
    wrong.push('counters')
  if (JSON.stringify(stored.merges.into) !== JSON.stringify(into)) wrong.push('merged into')
  if ([...from].toSorted().join() !== stored.merges.from.toSorted().join()) wrong.push('merged from')
  return wrong.map((part) => `user ${userId}: ${part} is another`)
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a))
}
