import { decodeDeadLetter, decodeReceivedEngagement, decodeUserErasure } from '@freshet/contracts/codecs/onward'
import { decodePartitionMeta, recordOutcomes, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { encodePinState } from '@freshet/contracts/codecs/pin-state'
import { encodeUserState, withoutTail } from '@freshet/contracts/codecs/user-state'
import type { Engagement } from '@freshet/domain/engagement'
import { foldPin, newPinState, pinStateKeys } from '@freshet/domain/pin-state'
import type { PinAct } from '@freshet/domain/engagement'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import type { Sent } from './dead-letters.ts'
import { isRowOf, onwardRows, pinActOf } from './onward-rows.ts'
import { repeats } from './reference.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'
import { maxAheadMs, simLimits } from './workload.ts'

/** When each user was erased at last, milliseconds since the epoch. */
function erasuresOf(log: SimLog): ReadonlyMap<string, number> {
  const erased = new Map<string, number>()
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { value } of log.records('erasures.v1', partition)) {
      const { userId, erasedAtMs } = decodeUserErasure(value ?? new Uint8Array(0))
      erased.set(userId, Math.max(erasedAtMs, erased.get(userId) ?? 0))
    }
  }
  return erased
}

/** What happened to a user, in the order of the log: an accepted engagement, or a tombstone. */
type Happening = Engagement | 'tombstone'

/**
 * What one partition of `engagements.v1` may come to where users are erased while events are under way. Which of a user's
 * engagements from before the erasure were folded before anybody knew of it is a matter of chance; that nothing of them
 * is left is not, nor is what becomes of all the others.
 */
interface Allowed {
  readonly users: ReadonlyMap<string, readonly Happening[]>
  /** How many records certainly come to each outcome, and how many may. */
  readonly least: Readonly<Record<RecordOutcome, number>>
  readonly most: Readonly<Record<RecordOutcome, number>>
  readonly dead: ReadonlySet<string>
  readonly onward: ReadonlyMap<string, Sent>
  readonly maybeOnward: ReadonlyMap<string, Sent>
}

/** The law with erasures: nothing from before an erasure is left of a user, everything else is as if nobody had been erased. Answers every violation. */
export function violationsWithErasures(log: SimLog, store: SimStore): readonly string[] {
  const problems: string[] = []
  const erased = erasuresOf(log)
  const allowed = Array.from({ length: log.partitions }, (_, partition) => allowedOf(log, partition, erased))
  allowed.forEach((of, partition) => {
    const { position, values, meta } = store.now('user.1', partition)
    const end = log.end('engagements.v1', partition)
    if ((position ?? 0) !== end) problems.push(`user ${partition} stands at ${position}, not at ${end}`)
    for (const userId of new Set([...values.keys(), ...of.users.keys()])) {
      const happened = of.users.get(userId) ?? []
      const candidates = erased.has(userId) ? remainders(happened) : [afterLastTombstone(happened)]
      if (!candidates.some((list) => isStateOf(values.get(userId), list)))
        problems.push(`user ${partition}: the state of ${userId}${erased.has(userId) ? ', erased,' : ''} is another`)
    }
    const { counts } = decodePartitionMeta(meta)
    for (const outcome of recordOutcomes) {
      const [count, least, most] = [counts[outcome], of.least[outcome], of.most[outcome]]
      if (count < least || count > most)
        problems.push(`user ${partition}: ${count} ${outcome}, not ${least} to ${most}`)
    }
    const sum = recordOutcomes.reduce((total, outcome) => total + counts[outcome], 0)
    const records = log.records('engagements.v1', partition).length
    if (sum !== records) problems.push(`user ${partition}: ${records} accepted, ${sum} accounted for`)
  })
  problems.push(...asideViolations(log, allowed), ...pinViolations(log, store, allowed))
  return problems
}

/** The law of a generation that was folded with every erasure known from the start: of each user exactly what came after. */
export function rebuiltViolations(log: SimLog, store: SimStore, scope: string): readonly string[] {
  const problems: string[] = []
  const erased = erasuresOf(log)
  for (let partition = 0; partition < log.partitions; partition++) {
    const { values } = store.now(scope, partition)
    const { users } = allowedOf(log, partition, erased)
    for (const userId of new Set([...values.keys(), ...users.keys()])) {
      // All that is left in the list is from after the erasure, so no tombstone of an erased user takes anything away.
      const happened = users.get(userId) ?? []
      const left = erased.has(userId) ? happened.filter(isEngagement) : afterLastTombstone(happened)
      if (!isStateOf(values.get(userId), left)) problems.push(`rebuilt ${partition}: the state of ${userId} is another`)
    }
  }
  return problems
}

function allowedOf(log: SimLog, partition: number, erased: ReadonlyMap<string, number>): Allowed {
  const users = new Map<string, Happening[]>()
  const [least, most] = [noOutcomes(), noOutcomes()]
  const dead = new Set<string>()
  const [onward, maybeOnward] = [new Map<string, Sent>(), new Map<string, Sent>()]
  const isRepeat = repeats()
  const certainly = (outcome: RecordOutcome) => {
    least[outcome]++
    most[outcome]++
  }
  const happens = (userId: string, what: Happening) => users.set(userId, [...(users.get(userId) ?? []), what])

  for (const { key, value, position } of log.records('engagements.v1', partition)) {
    if (value === null) {
      certainly('tombstone')
      happens(key, 'tombstone')
      continue
    }
    const received = receivedOf(key, value)
    if (received === null) {
      certainly('deadLettered')
      dead.add(`engagements.v1:${partition}:${position}`)
      continue
    }
    const occurredAtMs = Math.min(received.engagement.occurredAtMs, received.receivedAtMs + maxAheadMs)
    const engagement = { ...received.engagement, occurredAtMs }
    const sent = pinStateKeys(engagement).map((pinKey, index) => {
      return [`${partition}:${position}:${index}`, { key: pinKey, act: pinActOf(engagement) }] as const
    })
    if (occurredAtMs <= (erased.get(key) ?? -1)) {
      for (const outcome of ['erased', 'applied', 'duplicate'] as const) most[outcome]++
      for (const [id, record] of sent) maybeOnward.set(id, record)
      continue
    }
    if (isRepeat(`${key} ${engagement.eventId}`, received.receivedAtMs)) {
      certainly('duplicate')
      continue
    }
    certainly('applied')
    happens(key, engagement)
    for (const [at, record] of sent) onward.set(at, record)
  }
  return { users, least, most, dead, onward, maybeOnward }
}

/** The engagement of a record; null: it is not one of its key. */
export function receivedOf(key: string, value: Uint8Array): ReturnType<typeof decodeReceivedEngagement> | null {
  try {
    const received = decodeReceivedEngagement(value)
    return received.engagement.userId === key ? received : null
  } catch {
    return null
  }
}

const isEngagement = (what: Happening): what is Engagement => what !== 'tombstone'

function afterLastTombstone(happened: readonly Happening[]): readonly Engagement[] {
  return happened.slice(happened.lastIndexOf('tombstone') + 1).filter(isEngagement)
}

/** What may be left of an erased user: a tombstone takes all before it, or nothing where all of it was from after the erasure. */
function remainders(happened: readonly Happening[]): readonly (readonly Engagement[])[] {
  const cuts = [0, ...happened.flatMap((what, at) => (what === 'tombstone' ? [at + 1] : []))]
  return cuts.map((cut) => happened.slice(cut).filter(isEngagement))
}

function isStateOf(stored: Uint8Array | undefined, list: readonly Engagement[]): boolean {
  if (stored === undefined || list.length === 0) return stored === undefined && list.length === 0
  return Buffer.compare(withoutTail(stored), encodeUserState(foldUser(newUserState, list, simLimits))) === 0
}

/** What was put aside: everything that must be, and nothing that may not. */
function asideViolations(log: SimLog, allowed: readonly Allowed[]): readonly string[] {
  const problems: string[] = []
  const dead = new Set<string>()
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { value } of log.records('dead-letters.v1', partition)) {
      const { sourceTopic, sourcePartition, sourcePosition } = decodeDeadLetter(value ?? new Uint8Array(0))
      dead.add(`${sourceTopic}:${sourcePartition}:${sourcePosition}`)
    }
  }
  const all = (sets: readonly ReadonlySet<string>[]) => new Set(sets.flatMap((set) => [...set]))
  const within = (some: ReadonlySet<string>, others: ReadonlySet<string>) => [...some].every((id) => others.has(id))
  const mustBeDead = all(allowed.map((of) => of.dead))
  if (!within(mustBeDead, dead) || !within(dead, mustBeDead))
    problems.push(`dead letters: ${[...dead].join()} instead of ${[...mustBeDead].join()}`)
  return problems
}

/** The second stage: what must reach it does so once, what may reach it at most once, and each source in its order. */
function pinViolations(log: SimLog, store: SimStore, allowed: readonly Allowed[]): readonly string[] {
  const problems: string[] = []
  const must = new Map(allowed.flatMap(({ onward }) => [...onward]))
  const may = new Map(allowed.flatMap(({ maybeOnward }) => [...maybeOnward]))
  const counted = new Set<string>()
  for (let partition = 0; partition < log.partitions; partition++) {
    const byKey = new Map<string, PinAct[]>()
    const marks = new Map<number, readonly [number, number]>()
    for (const row of log.records('pin-engagements.v1', partition).flatMap(onwardRows)) {
      const { key, act } = row
      const id = `${row.partition}:${row.position}:${row.index}`
      const due = must.get(id) ?? may.get(id)
      if (due === undefined || !isRowOf(row, due)) {
        problems.push(`the first stage sent ${id} to ${key}, which it had not to`)
        continue
      }
      const [position, index] = marks.get(row.partition) ?? [-1, 0]
      if (row.position < position || (row.position === position && row.index < index)) continue
      marks.set(row.partition, [row.position, row.index + 1])
      counted.add(id)
      byKey.set(key, [...(byKey.get(key) ?? []), act])
    }
    const { values } = store.now('pin.1', partition)
    for (const key of new Set([...values.keys(), ...byKey.keys()])) {
      const wanted = encodePinState(foldPin(newPinState, byKey.get(key) ?? []))
      if (Buffer.compare(values.get(key) ?? new Uint8Array(0), wanted) !== 0)
        problems.push(`pin ${partition}: the state of ${key} is another`)
    }
  }
  for (const id of must.keys()) if (!counted.has(id)) problems.push(`${id} never came to the second stage`)
  return problems
}

/** No record of any outcome. */
export function noOutcomes(): Record<RecordOutcome, number> {
  return { applied: 0, duplicate: 0, late: 0, deadLettered: 0, erased: 0, tombstone: 0, lost: 0, handover: 0 }
}
