import { decodeDeadLetter, decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { decodePartitionMeta, recordOutcomes, type OutcomeCounts } from '@freshet/contracts/codecs/partition-meta'
import { decodePinState } from '@freshet/contracts/codecs/pin-state'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { Counters } from '@freshet/domain/decay'
import { actions, type Engagement } from '@freshet/domain/engagement'
import { isRecentAction } from '@freshet/domain/features/recent-actions'
import { partitionOf } from '@freshet/domain/partition'
import { pinStateKeys } from '@freshet/domain/pin-state'
import type { World } from './cluster.ts'
import { eventually } from './eventually.ts'
import { readTopic, type TopicRecord } from './read-topic.ts'
import type { SentFile } from './sent-file.ts'

/** What became of everything that was sent. */
export interface OracleReport {
  /** Distinct events: sent, answered with a token, refused by name, and written though never answered. */
  readonly sent: number
  readonly accepted: number
  readonly rejected: number
  readonly writtenUnanswered: number
  /** Records written to the log past the ingest, on purpose: bad ones. */
  readonly planted: number
  /** Records of `engagements.v1`, with repeats and canaries. */
  readonly records: number
  readonly canaries: number
  /** From the partitions' meta, canaries taken off. */
  readonly applied: number
  readonly deadLettered: number
  /** Distinct ones that happened more than a day before they were received: applied like all others. */
  readonly late: number
  readonly repeats: number
  /** Engagements counted in pin state, each once per key that it concerns. */
  readonly pinApplied: number
  /** Users and pins whose state was compared with the log. */
  readonly users: number
  readonly pinKeys: number
  /** The equation as one line. */
  readonly equation: string
  /** Everything that is not as it must be; empty: each event exactly once. */
  readonly problems: readonly string[]
}

/** How many problems of one kind are spelled out. */
const shown = 5
const dayMs = 86_400_000
const canaryPrefix = 'freshet-canary-'

/** Waits until both stages have folded everything that the log holds. Rejects with what is behind. */
export async function settled(world: World, deadlineMs: number): Promise<void> {
  let behind = ''
  await eventually(
    'everything folded',
    async () => {
      behind = await lagOf(world).catch((error: unknown) => (error as Error).message)
      return behind === '' ? true : null
    },
    deadlineMs,
    100,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${behind}`)
  })
}

async function lagOf({ log, store }: World): Promise<string> {
  const behind: string[] = []
  // The second stage's topic is looked at after the first stage is known to be at its end, so nothing more comes.
  for (const [family, topic] of [
    ['user', 'engagements.v1'],
    ['pin', 'pin-engagements.v1'],
  ] as const) {
    const ends = await log.ends(topic)
    const stored = await store.positions(
      `${family}.1`,
      ends.map((_, partition) => partition),
    )
    ends.forEach((end, partition) => {
      if ((stored[partition] ?? 0) < end) behind.push(`${topic}/${partition} at ${stored[partition] ?? 0} of ${end}`)
    })
  }
  return behind.join(', ')
}

/**
 * Compares what a generator wrote down with what there is, once everything is folded: every event that was accepted is in
 * the log; every record of the log was applied, dead-lettered or a repeat, by the counts that the commits carry;
 * and the state of every user and every pin holds each accepted engagement exactly once, by its contents.
 */
export async function consultOracle(world: World, file: SentFile, planted = 0): Promise<OracleReport> {
  const endsOf = async (): Promise<string> => JSON.stringify(await world.log.ends('engagements.v1'))
  for (;;) {
    await settled(world, 60_000)
    const before = await endsOf()
    const report = await compare(world, file, planted)
    // Canaries keep coming: one in the middle of the comparison would be in the state and not in what was read of the log.
    if ((await endsOf()) === before) return report
  }
}

async function compare(world: World, file: SentFile, planted: number): Promise<OracleReport> {
  const problems: string[] = []
  const say = (what: string, list: readonly string[]): void => {
    if (list.length > 0) problems.push(`${list.length} ${what}: ${list.slice(0, shown).join(', ')}`)
  }
  const same = (what: string, left: number, right: number): void => {
    if (left !== right) problems.push(`${what}: ${left} ≠ ${right}`)
  }

  const records = await readTopic(world.log, 'engagements.v1')
  const sent = new Map(file.events().map((event) => [`${event.userId} ${event.eventId}`, event]))
  const deadLetters = distinct(await readTopic(world.log, 'dead-letters.v1'), (record) => {
    const letter = decodeDeadLetter(record.value ?? new Uint8Array())
    return { place: `${letter.sourceTopic} ${letter.sourcePartition}/${letter.sourcePosition}`, id: letter.key }
  })

  const engagements = new Map<string, Engagement>()
  const lateIds = new Set<string>()
  let bad = 0
  for (const record of records) {
    try {
      const { engagement, receivedAtMs } = decodeReceivedEngagement(record.value ?? new Uint8Array())
      const id = `${engagement.userId} ${engagement.eventId}`
      engagements.set(id, engagement)
      if (receivedAtMs - engagement.occurredAtMs > dayMs) lateIds.add(id)
    } catch {
      bad++
    }
  }
  const ours = [...engagements.keys()].filter((id) => !id.startsWith(canaryPrefix))
  const canaries = engagements.size - ours.length
  const all = [...sent.values()]
  const acceptedIds = [...sent].filter(([, { answer }]) => answer === 'accepted').map(([id]) => id)
  say(
    'accepted events are not in the log',
    acceptedIds.filter((id) => !engagements.has(id)),
  )
  say(
    'events in the log were never sent',
    ours.filter((id) => !sent.has(id)),
  )
  say(
    'events in the log were rejected by name',
    ours.filter((id) => sent.get(id)?.answer === 'rejected'),
  )
  const writtenUnanswered = ours.filter((id) => sent.get(id)?.answer === 'none').length

  const user = await countsOf(world, 'user')
  const pin = await countsOf(world, 'pin')
  same('records folded and records of engagements.v1', total(user), records.length)
  same('dead letters by count and by topic', user.deadLettered + pin.deadLettered, deadLetters.size)
  same('dead letters and bad records of the log', user.deadLettered, bad)
  same('events that were taken and not folded', user.late, 0)
  same('repeats by count and by log', user.duplicate, records.length - bad - engagements.size)
  const applied = user.applied - canaries
  same(
    'accepted = applied + dead-lettered',
    acceptedIds.length + writtenUnanswered + planted,
    applied + user.deadLettered,
  )

  const wanted = [...engagements.values()]
  const users = Map.groupBy(wanted, ({ userId }) => userId)
  say('users whose state differs from what was accepted', await differingUsers(world, users))
  const keys = new Map<string, number>()
  for (const engagement of wanted) for (const key of pinStateKeys(engagement)) keys.set(key, (keys.get(key) ?? 0) + 1)
  say('pin states that differ from what was accepted', await differingPins(world, keys))
  same(
    'engagements counted in pin state',
    pin.applied,
    [...keys.values()].reduce((sum, count) => sum + count, 0),
  )

  const unanswered = writtenUnanswered === 0 ? '' : ` + ${writtenUnanswered} written though unanswered`
  const plantedText = planted === 0 ? '' : ` + ${planted} planted`
  return {
    sent: all.length,
    accepted: acceptedIds.length,
    rejected: all.filter(({ answer }) => answer === 'rejected').length,
    writtenUnanswered,
    planted,
    records: records.length,
    canaries,
    applied,
    deadLettered: user.deadLettered,
    late: lateIds.size,
    repeats: user.duplicate,
    pinApplied: pin.applied,
    users: users.size,
    pinKeys: keys.size,
    equation: `accepted ${acceptedIds.length}${unanswered}${plantedText} = applied ${applied} + dead-lettered ${user.deadLettered}; of them late ${lateIds.size}, repeats dropped ${user.duplicate}, canaries ${canaries}; state of ${users.size} users and ${keys.size} pins and boards agrees: ${problems.length === 0 ? 'yes' : 'NO'}`,
    problems,
  }
}

function distinct<T extends { readonly place: string }>(
  records: readonly TopicRecord[],
  read: (record: TopicRecord) => T,
): ReadonlyMap<string, T> {
  return new Map(records.map(read).map((value) => [value.place, value]))
}

/** What became of the records of a family's partitions, summed, as the commits counted. */
async function countsOf({ log, store }: World, family: StateFamily): Promise<OutcomeCounts> {
  const sums = Object.fromEntries(recordOutcomes.map((outcome) => [outcome, 0])) as Record<keyof OutcomeCounts, number>
  const partitions = await log.partitionCount('engagements.v1')
  for (let partition = 0; partition < partitions; partition++) {
    const query = { ...nothingElse, scope: `${family}.1`, partition }
    const { counts } = decodePartitionMeta((await store.readForFold(query)).meta)
    for (const outcome of recordOutcomes) sums[outcome] += counts[outcome]
  }
  return sums
}

function total(counts: OutcomeCounts): number {
  return recordOutcomes.reduce((sum, outcome) => sum + counts[outcome], 0)
}

/** The stored values of some keys, in their order. */
async function stored(world: World, family: StateFamily, keys: readonly string[]): Promise<(Uint8Array | null)[]> {
  const partitions = await world.log.partitionCount('engagements.v1')
  const rows = Map.groupBy(keys.keys(), (row) => partitionOf(keys[row]!, partitions))
  const values = new Array<Uint8Array | null>(keys.length).fill(null)
  for (const [partition, own] of rows) {
    for (let first = 0; first < own.length; first += 500) {
      const page = own.slice(first, first + 500)
      const read = await world.store.read(
        `${family}.1`,
        partition,
        page.map((row) => keys[row]!),
      )
      page.forEach((row, i) => (values[row] = read.values[i] ?? null))
    }
  }
  return values
}

/** How many engagements the stored state of a user counts. */
export async function appliedOf(world: World, userId: string): Promise<number> {
  const [bytes] = await stored(world, 'user', [userId])
  return bytes == null ? 0 : countOf(decodeUserState(bytes).counters)
}

async function differingUsers(
  world: World,
  users: ReadonlyMap<string, readonly Engagement[]>,
): Promise<readonly string[]> {
  const values = await stored(world, 'user', [...users.keys()])
  return [...users].flatMap(([userId, engagements], row) => {
    const bytes = values[row]
    if (bytes == null) return [`${userId} (no state)`]
    const { recent, counters } = decodeUserState(bytes)
    const count = countOf(counters)
    if (count !== engagements.length) return [`${userId} (counts ${count}, accepted ${engagements.length})`]
    const have = recent.pinIds.map((pinId, i) => `${recent.atMs[i]} ${actions[recent.actions[i] ?? 0]} ${pinId}`)
    const want = engagements
      .filter(isRecentAction)
      .map(
        ({ occurredAtMs, action, subject }) =>
          `${occurredAtMs} ${action} ${subject.kind === 'pin' ? subject.pinId : ''}`,
      )
    // Beyond the cap the oldest are gone; the load generator keeps users below it.
    if (want.length > 200 || have.toSorted().join() === want.toSorted().join()) return []
    return [`${userId} (${have.length} recent actions, accepted ${want.length})`]
  })
}

async function differingPins(world: World, keys: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const values = await stored(world, 'pin', [...keys.keys()])
  return [...keys].flatMap(([key, wanted], row) => {
    const bytes = values[row]
    const count = bytes == null ? 0 : countOf(decodePinState(bytes).counters)
    return count === wanted ? [] : [`${key} (counts ${count}, accepted ${wanted})`]
  })
}

/** All that was ever counted, of all actions: the column without decay. */
function countOf(counters: Counters): number {
  const columns = 4
  return counters.values.reduce((sum, value, i) => (i % columns === columns - 1 ? sum + value : sum), 0)
}
