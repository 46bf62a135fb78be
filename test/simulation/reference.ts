import { decodeDeadLetter, decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { decodePartitionMeta, type OutcomeCounts, type RecordOutcome } from '@freshet/contracts/codecs/partition-meta'
import { decodePinFeatures, encodePinState } from '@freshet/contracts/codecs/pin-state'
import { encodeUserState, withoutTail } from '@freshet/contracts/codecs/user-state'
import { storedPosition } from '@freshet/contracts/followed-log'
import { PinFeatures } from '@freshet/contracts/gen/freshet/state/v1/state'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { Engagement } from '@freshet/domain/engagement'
import { partitionOf } from '@freshet/domain/partition'
import { foldPin, isPinKey, newPinState, pinStateKeys } from '@freshet/domain/pin-state'
import type { PinAct } from '@freshet/domain/engagement'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import { isPastDeadLetter, lostDeadLetters, sentByDeadLetters, type Sent } from './dead-letters.ts'
import { isRowOf, onwardRows, pinActOf } from './onward-rows.ts'
import type { SimLog } from './sim-log.ts'
import type { SimStore } from './sim-store.ts'
import { maxAheadMs, simFold, simLimits } from './workload.ts'

/** What one partition of `engagements.v1` must come to, found the naive way: one pass, nothing forgotten. */
interface Expected {
  readonly users: ReadonlyMap<string, Uint8Array>
  readonly counts: OutcomeCounts
  readonly dead: ReadonlySet<number>
  /** What has to reach the second stage, by source position and index. */
  readonly onward: ReadonlyMap<string, Sent>
  /** Users to whom the order in which events came made a difference. */
  readonly outOfOrder: readonly string[]
}

/** Where the state that serves is. */
export type Scopes = Readonly<Record<StateFamily, string>>

/** The law: for every user and pin the stored state is the fold of the accepted log, each event once; and every record is accounted for. Answers every violation. */
export function violations(log: SimLog, store: SimStore, scopes: Scopes): readonly string[] {
  const problems: string[] = []
  const expected = Array.from({ length: log.partitions }, (_, partition) => expectedOf(log, partition))
  const dead = new Set<string>()
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { value } of log.records('dead-letters.v1', partition)) {
      const letter = decodeDeadLetter(value ?? new Uint8Array(0))
      if (isPastDeadLetter(letter)) continue
      dead.add(`${letter.sourceTopic}:${letter.sourcePartition}:${letter.sourcePosition}`)
    }
  }
  const wantedDead = expected.flatMap(({ dead: of }, p) => [...of].map((position) => `engagements.v1:${p}:${position}`))
  if (!sameSet(dead, wantedDead)) problems.push(`dead letters: ${[...dead].join()} instead of ${wantedDead.join()}`)

  expected.forEach(({ users, counts, outOfOrder }, partition) => {
    problems.push(...outOfOrder)
    const stored = store.now(scopes.user, partition)
    const end = storedPosition(log.epoch('engagements.v1'), log.end('engagements.v1', partition))
    if ((stored.position ?? 0) !== end) problems.push(`user ${partition} stands at ${stored.position}, not at ${end}`)
    compare(`user ${partition}`, folded(stored.values), users, problems)
    const { counts: said } = decodePartitionMeta(stored.meta)
    if (JSON.stringify(said) !== JSON.stringify(counts)) {
      problems.push(`user ${partition} counted ${JSON.stringify(said)} instead of ${JSON.stringify(counts)}`)
    }
    const records = log.records('engagements.v1', partition).length + log.lost('engagements.v1', partition).length
    const sum = Object.values(said).reduce((total, count) => total + count, 0)
    if (sum !== records) problems.push(`user ${partition}: ${records} accepted, ${sum} accounted for`)
  })
  problems.push(...pinViolations(log, store, scopes.pin, expected), ...lostDeadLetters(log))
  return problems
}

function expectedOf(log: SimLog, partition: number): Expected {
  const counts: Record<RecordOutcome, number> = {
    applied: 0,
    duplicate: 0,
    late: 0,
    deadLettered: 0,
    erased: 0,
    tombstone: 0,
    lost: 0,
    handover: 0,
  }
  const accepted = new Map<string, Engagement[]>()
  const isRepeat = repeats()
  const dead = new Set<number>()
  const onward = new Map<string, Sent>()
  const epoch = log.epoch('engagements.v1')
  const records = log.records('engagements.v1', partition).map((record) => ({ ...record, epoch }))
  for (const { key, value, position, epoch: of } of [...log.lost('engagements.v1', partition), ...records]) {
    if (value === null) {
      counts.tombstone++
      accepted.delete(key)
      continue
    }
    let received
    try {
      received = decodeReceivedEngagement(value)
    } catch {
      received = null
    }
    if (received === null || received.engagement.userId !== key) {
      counts.deadLettered++
      dead.add(position)
      continue
    }
    const occurredAtMs = Math.min(received.engagement.occurredAtMs, received.receivedAtMs + maxAheadMs)
    const engagement = { ...received.engagement, occurredAtMs }
    if (isRepeat(`${key} ${engagement.eventId}`, received.receivedAtMs)) {
      counts.duplicate++
      continue
    }
    counts.applied++
    const list = accepted.get(key) ?? []
    accepted.set(key, [...list, engagement])
    pinStateKeys(engagement).forEach((pinKey, index) => {
      onward.set(`${partition}:${storedPosition(of, position)}:${index}`, { key: pinKey, act: pinActOf(engagement) })
    })
  }
  const users = new Map(
    [...accepted].map(([key, list]) => [key, encodeUserState(foldUser(newUserState, list, simLimits))]),
  )
  const outOfOrder = [...accepted].flatMap(([key, list]) => orderMatters(`user ${partition}: ${key}`, list))
  return { users, counts, dead, onward, outOfOrder }
}

/** The rule about repeats, kept naively: every receipt of every accepted id. Answers whether a record is one, and takes note of it where it is not. */
export function repeats(): (id: string, receivedAtMs: number) => boolean {
  const accepted = new Map<string, number[]>()
  const generationMs = simFold.dedupeWindowMs / simFold.dedupeGenerations
  return (id, receivedAtMs) => {
    const generation = Math.floor(receivedAtMs / generationMs)
    const known = accepted.get(id) ?? []
    const isRepeat = known.some((of) => of <= generation + 1 && generation - of <= simFold.dedupeGenerations)
    if (!isRepeat) accepted.set(id, [...known, generation])
    return isRepeat
  }
}

/** What a user did counts as if it had come in the order in which it happened: everything but the rounding of weights. */
function orderMatters(who: string, list: readonly Engagement[]): readonly string[] {
  const inOrder = list.toSorted((a, b) => a.occurredAtMs - b.occurredAtMs)
  const [came, happened] = [list, inOrder].map((order) => {
    const { firstAtMs, lastAtMs, recent, relations, seen, sessions, counters } = foldUser(
      newUserState,
      order,
      simLimits,
    )
    return JSON.stringify([
      firstAtMs,
      lastAtMs,
      recent,
      [...relations.newest.values()],
      relations.older,
      seen,
      sessions,
      counters.atMs,
    ])
  })
  return came === happened ? [] : [`${who} would be another, had the events come in order`]
}

/** The second stage, against the set of what the first had to send: each once, in the order of first arrival. */
export function pinViolations(
  log: SimLog,
  store: SimStore,
  scope: string,
  expected: readonly Pick<Expected, 'onward'>[],
): readonly string[] {
  const problems: string[] = []
  const wanted = new Map([...expected.flatMap(({ onward }) => [...onward]), ...sentByDeadLetters(log)])
  const arrived = new Set<string>()
  const newest = new Map<string, { readonly foldedTo: number; readonly state: Uint8Array }>()
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { value } of log.records('pin-features.v1', partition)) {
      const { pinId, foldedTo } = decodePinFeatures(value ?? new Uint8Array(0))
      const { state } = PinFeatures.decode(value ?? new Uint8Array(0))
      if (foldedTo >= (newest.get(pinId)?.foldedTo ?? 0)) newest.set(pinId, { foldedTo, state })
    }
  }
  for (let partition = 0; partition < log.partitions; partition++) {
    const byKey = new Map<string, PinAct[]>()
    for (const row of log.records('pin-engagements.v1', partition).flatMap(onwardRows)) {
      const { key, act } = row
      const id = `${row.partition}:${row.position}:${row.index}`
      const due = wanted.get(id)
      if (due === undefined || !isRowOf(row, due) || partitionOf(key, log.partitions) !== partition) {
        problems.push(`the first stage sent ${id} to ${key}, which it had not to`)
        continue
      }
      if (arrived.has(id)) continue
      arrived.add(id)
      byKey.set(key, [...(byKey.get(key) ?? []), act])
    }
    const stored = store.now(scope, partition)
    const end = log.end('pin-engagements.v1', partition)
    if ((stored.position ?? 0) !== end) problems.push(`pin ${partition} stands at ${stored.position}, not at ${end}`)
    const pins = new Map([...byKey].map(([key, list]) => [key, encodePinState(foldPin(newPinState, list))]))
    compare(`pin ${partition}`, stored.values, pins, problems)
    for (const [key, bytes] of pins) {
      const published = newest.get(key)?.state
      if (isPinKey(key) && (published === undefined || Buffer.compare(published, bytes) !== 0)) {
        problems.push(`pin ${partition}: what was published of ${key} is not its state`)
      }
    }
  }
  for (const id of wanted.keys()) if (!arrived.has(id)) problems.push(`the first stage never sent ${id}`)
  return problems
}

/** A value that holds what was appended says the same as one written whole. */
function folded(values: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  return new Map([...values].map(([key, value]) => [key, withoutTail(value)]))
}

function compare(
  what: string,
  stored: ReadonlyMap<string, Uint8Array>,
  wanted: ReadonlyMap<string, Uint8Array>,
  problems: string[],
): void {
  for (const key of new Set([...stored.keys(), ...wanted.keys()])) {
    const a = stored.get(key)
    const b = wanted.get(key)
    if (a === undefined || b === undefined || Buffer.compare(a, b) !== 0) {
      problems.push(
        `${what}: the state of ${key} ${a === undefined ? 'is missing' : b === undefined ? 'should not be' : 'is another'}`,
      )
    }
  }
}

function sameSet(found: ReadonlySet<string>, wanted: readonly string[]): boolean {
  return found.size === wanted.length && wanted.every((id) => found.has(id))
}
