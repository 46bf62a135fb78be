import { decodePartitionMeta, recordOutcomes } from '@freshet/contracts/codecs/partition-meta'
import { epochIn, positionIn } from '@freshet/contracts/followed-log'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { nothingElse, type StateStore } from '@freshet/contracts/ports/state-store'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { familyTopic, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { adoptionOf } from '@freshet/feature-updater/adopt'
import { servingGeneration } from '@freshet/feature-updater/generations'

/** Log and state, and how to look. */
export interface CheckedPlatform {
  readonly log: EventLog
  readonly store: StateStore
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Receives errors that are being retried. */
  readonly onError: (error: Error) => void
}

/** What was compared, and what does not fit. */
export interface Checked {
  readonly lines: readonly string[]
  readonly problems: readonly string[]
}

interface Partition {
  readonly partition: number
  /** The position in this log up to which the state was folded. */
  readonly stored: number
  /** Above 0: the state followed another log before. */
  readonly epoch: number
  readonly start: number
  readonly end: number
  /** Records by the counts of the commits. */
  readonly counted: number
}

/**
 * Compares the serving state of a family with its log: every stored position is inside the log, nothing that was never folded is
 * deleted, and with `counts` the commits counted each record below the stored position exactly once.
 */
export async function checkFamily(at: CheckedPlatform, family: StateFamily, counts: boolean): Promise<Checked> {
  const topic = familyTopic[family]
  const problems: string[] = []
  const adoption = await adoptionOf(at, family)
  const partitions = await partitionsOf(at, family, adoption.before.epoch)
  for (const { partition, stored, start, end } of partitions) {
    if (stored > end)
      problems.push(
        `${topic}/${partition}: the state is folded up to ${stored}, but the log ends at ${end}: the log is older than the state; \`freshet log adopt\` lets the state follow it`,
      )
    if (stored < start)
      problems.push(
        `${topic}/${partition}: the state is folded up to ${stored}, but the log begins at ${start}: ${start - stored} positions were deleted before they were folded`,
      )
  }
  if (adoption.kind === 'other')
    problems.push(
      `${topic} is another log (${adoption.id}) than the one that the state was folded from (${adoption.before.id}); \`freshet log adopt\` lets the state follow it`,
    )
  const behind = partitions.reduce((sum, { stored, end }) => sum + Math.max(0, end - stored), 0)
  const lines = [
    `${topic}: ${partitions.length} partitions, the serving state is folded up to ${behind === 0 ? 'the end' : `${behind} positions before the end; feature-updater folds them when it runs`}`,
  ]
  if (counts) {
    const counted = await countRecords(at, topic, partitions)
    lines.push(...counted.lines)
    problems.push(...counted.problems)
  }
  return { lines, problems }
}

async function partitionsOf(
  { log, store, signal }: CheckedPlatform,
  family: StateFamily,
  followedEpoch: number,
): Promise<readonly Partition[]> {
  const topic = familyTopic[family]
  const call = { signal }
  const scope = stateScope(family, await servingGeneration(store, family, call))
  // The ends come last: a feature-updater that works meanwhile would otherwise look as if it were ahead of the log.
  const starts = await log.starts(topic, call)
  const states = await Promise.all(
    starts.map((_, partition) => store.readForFold({ ...nothingElse, scope, partition }, call)),
  )
  const ends = await log.ends(topic, call)
  return states.map(({ position, meta }, partition) => {
    const { counts } = decodePartitionMeta(meta)
    const counted = recordOutcomes.reduce((sum, outcome) => sum + counts[outcome], 0)
    const place = position ?? 0
    const [start, end] = [starts[partition]!, ends[partition]!]
    // Nothing of this log was folded yet, for example because it was adopted just now: a feature-updater begins at its first record.
    const isNew = epochIn(place) < followedEpoch || positionIn(place) === 0
    const stored = isNew ? start : positionIn(place)
    return { partition, stored, epoch: followedEpoch, start, end, counted }
  })
}

/** accepted = applied + dead-lettered + repeats + …, partition by partition: what the commits counted, against what the log holds. */
async function countRecords(
  { log, signal, onError }: CheckedPlatform,
  topic: string,
  partitions: readonly Partition[],
): Promise<Checked> {
  const whole = partitions.filter(({ start, epoch }) => start === 0 && epoch === 0)
  const held = new Map(whole.map(({ partition }) => [partition, 0]))
  const storedOf = new Map(whole.map(({ partition, stored }) => [partition, stored]))
  await readToEnd({
    log,
    topic,
    maxBatchRecords: 5_000,
    partitions: [...held.keys()],
    signal,
    onError,
    onRecords: (partition, records) => {
      const stored = storedOf.get(partition)!
      const below = records.filter(({ position }) => position < stored).length
      held.set(partition, held.get(partition)! + below)
    },
  })
  const problems = whole
    .filter(({ partition, counted }) => counted !== held.get(partition))
    .map(
      ({ partition, counted, stored }) =>
        `${topic}/${partition}: the commits counted ${counted} records, the log holds ${held.get(partition)} below position ${stored}`,
    )
  const sum = [...held.values()].reduce((total, count) => total + count, 0)
  const left = partitions.length - whole.length
  const compared = `${topic}: ${sum} records were counted as applied, dead-lettered or dropped by name, each once, in ${whole.length - problems.length} of ${whole.length} whole partitions`
  const rest =
    left === 0
      ? ''
      : `; ${left} partitions no longer begin at their first record, or follow another log, and were not counted`
  return { lines: [`${compared}${rest}`], problems }
}
