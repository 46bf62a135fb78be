import { noPseudonyms, type PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { UserErasure } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { ParsedEngagement } from '@freshet/contracts/json/engagement'
import type { ParsedBoard, ParsedCreator } from '@freshet/contracts/json/entry'
import { idFault } from '@freshet/contracts/json/fields'
import type { ParsedPin } from '@freshet/contracts/json/pin'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import { logTag } from '@freshet/contracts/followed-log'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type { LogWatch } from '@freshet/contracts/log-watch'
import type { EventLog, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import { formatToken } from '@freshet/contracts/tokens'
import type { Clock } from '@freshet/domain/clock'
import { asId, type UserId } from '@freshet/domain/ids'
import { createByteRoom, type ByteRoom } from '@freshet/service/byte-room'
import type { Metrics } from '@freshet/service/metrics'
import type { RateLimits } from '@freshet/service/rate-limits'
import type { Report } from '@freshet/service/reporting'
import type { SourceTags } from '@freshet/service/source-tags'
import type { Acknowledged } from './acknowledged.ts'
import { costsOf, limitedBy } from './admission.ts'
import { createAppend, type Append, type IngestCall, type IngestTopic } from './append.ts'
import { checkBoard, checkCreator, checkPin } from './check-entries.ts'
import type { IngestConfig } from './config.ts'
import { checkMerge, type Checking, type MergeOfUsers } from './merge-users.ts'
import { createTakePlain, type TakePlain } from './plain-batch.ts'
import type { Suppression } from './suppression.ts'
import { tagsOf, type TagOf } from './tag-of.ts'
import { clockShiftMs, correctEngagement, correctTime, type ClientClock, type RequestTime } from './event-time.ts'

/** The result for one event: its token if the log has it, else all its problems; the first problem is repeated beside the list. `id` is the id as sent; empty: it was not a string. */
export type Receipt =
  | { readonly id: string; readonly token: string }
  | ({ readonly id: string; readonly problems: readonly IngestProblem[] } & IngestProblem)

/** The result for a request: a receipt for each event, or the reason why ingest refused all of it. `notice`: why accepted engagements do not take effect yet; empty: they do. */
export type Answer =
  | {
      readonly kind: 'taken'
      readonly receipts: readonly Receipt[]
      readonly accepted: number
      /** When the request arrived, milliseconds since the epoch. Clients compute the error of their clock from it. */
      readonly receivedAtMs: number
      readonly notice: string
    }
  | { readonly kind: 'refused'; readonly problem: IngestProblem }

/** The events of a request, from HTTP or gRPC. */
export interface Batch<Parsed> {
  readonly events: readonly unknown[]
  /** Reads one event; `at` is its place in the request, e.g. `engagements[3]`. */
  readonly read: (event: unknown, at: string) => Parsed
  /** Whether the request is a single event and not a list. Problems of a single event name its fields without a place. */
  readonly single: boolean
  /** Bytes that the request uses while it waits for the log. */
  readonly bytes: number
  /** Absent: the request has no trace and no deadline. */
  readonly call?: IngestCall
}

/** Engagements and the clock of their client. */
export interface EngagementBatch extends Batch<ParsedEngagement> {
  readonly clock: ClientClock
  /** Whether engagements may have any age, as those of an import; absent: `maxEventAgeDays` holds. */
  readonly ofAnyAge?: boolean
}

/** An event of another system: what it is, when it arrived, and what its record carries. */
export interface MappedAct {
  readonly act:
    | { readonly kind: 'engagement'; readonly parsed: ParsedEngagement }
    | { readonly kind: 'merge'; readonly merge: MergeOfUsers & { readonly intoUserId: string } }
  readonly time: RequestTime
  /** Absent: none of its own. */
  readonly headers?: MessageHeaders
}

/** Validates events, appends them to the log and answers with tokens. Holds no state: an event is accepted when the log has it. */
export interface Ingest {
  takeEngagements(batch: EngagementBatch): Promise<Answer>
  /** Takes engagements whose bytes are plain. */
  readonly takePlain: TakePlain
  /** Counts a request of this many events in the limits of rates, for `takeMapped`. `users`: the events of each user. Resolves to the problem of a request that comes too fast; null: it does not. */
  admit(events: number, users: ReadonlyMap<string, number>, call: IngestCall): Promise<IngestProblem | null>
  /** Appends engagements and merges of other systems, in their order. It counts in no limit of rates: `admit` has, also for events that are not for the log. */
  takeMapped(batch: Batch<MappedAct>): Promise<Answer>
  takePins(batch: Batch<ParsedPin>): Promise<Answer>
  takeCreators(batch: Batch<ParsedCreator>): Promise<Answer>
  takeBoards(batch: Batch<ParsedBoard>): Promise<Answer>
  /** Appends the merge of a user into another. */
  mergeUsers(merge: MergeOfUsers, call?: IngestCall): Promise<Answer>
  /** Appends the erasure of a user. */
  eraseUser(userId: string, call?: IngestCall): Promise<Answer>
  /** Whether a user, by the given id, was erased at any time, as far as is known here. */
  isErased(userId: string): boolean
  /** Counts the bytes of requests that are arriving and of requests that wait for the log. */
  readonly inFlight: ByteRoom
}

/** Dependencies and settings of ingest. */
export interface IngestOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly report: Report
  /** Why accepted events are not folded into state at present; null: they are. Absent: this process cannot know. */
  readonly foldProblem?: () => string | null
  /** Limits of the rates of events, by key, user and address; absent: none. */
  readonly rates?: RateLimits
  /** The tags of addresses, for events of users for whom nobody vouches; absent: no event has a tag. */
  readonly sourceTags?: SourceTags
  /** Provides the id of the log for the tokens; absent: tokens do not name their log. */
  readonly watch?: Pick<LogWatch, 'id'>
  /** Remembers what the log acknowledged; absent: nobody checks whether it still has that. */
  readonly acknowledged?: Pick<Acknowledged, 'note'>
  /** The erased users, whose earlier events are refused; absent: none. */
  readonly suppression?: Suppression
  /** The id under which a user is stored; absent: the given one. */
  readonly pseudonymOf?: PseudonymOf
}

type Kind = 'engagement' | 'pin' | 'creator' | 'board' | 'erasure' | 'merge'
/** An event as a record of the log, or its problems. */
type Outcome =
  { readonly record: NewRecord; readonly isMerge?: boolean } | { readonly problems: readonly IngestProblem[] }

/** What differs between engagements, entries of the catalogue, erasures and merges. */
interface Handling<Parsed> {
  readonly kind: Kind
  readonly topic: IngestTopic
  readonly check: (parsed: Parsed, at: string) => Outcome
  /** Whether the request has been counted in the limits of rates. */
  readonly isAdmitted?: boolean
}

const plural = {
  engagement: 'engagements',
  pin: 'pins',
  creator: 'creators',
  board: 'boards',
  erasure: 'users',
  merge: 'users',
} as const

/** Creates the use case. */
export function createIngest(options: IngestOptions): Ingest {
  const { clock, config, metrics } = options
  const inFlight = createByteRoom(config.maxInFlightBytes, () => clock.now())
  const skewSeconds = metrics.histogram('freshet_ingest_clock_skew_seconds')
  const inFlightBytes = metrics.gauge('freshet_ingest_in_flight_bytes')
  metrics.beforeScrape(() => {
    inFlightBytes.set(inFlight.bytes())
  })
  const append = createAppend({ ...options, inFlight })
  const take = createTake(options, append)
  const { suppression, pseudonymOf = noPseudonyms } = options
  /** The problem with something that a user, by the stored id, did at this time; null: none. */
  const erasedBefore = (userId: string, atMs: number, at: string, field: string): IngestProblem | null => {
    const erasedAtMs = suppression?.erasedAtMs(userId) ?? null
    if (erasedAtMs === null || atMs > erasedAtMs) return null
    const text = `was erased at ${new Date(erasedAtMs).toISOString()}; what the user did before is not accepted`
    return problemAt(at, field, 'USER_ERASED', text)
  }

  return {
    inFlight,
    takePlain: createTakePlain(options, append),
    admit: async (events, users, call) => limitedBy(options.rates, events, users, call),
    isErased: (userId) => (suppression?.erasedAtMs(pseudonymOf(userId)) ?? null) !== null,
    async takeEngagements(batch) {
      const tagOf = await tagsOf(options.sourceTags, batch.call)
      const nowMs = clock.now()
      const shiftMs = clockShiftMs(batch.clock, nowMs, config.toleratedSkewMs)
      if (shiftMs !== 0) skewSeconds.observe(Math.abs(shiftMs) / 1000)
      const limits = batch.ofAnyAge === true ? { ...config, maxEventAgeDays: 0 } : config
      const check = (parsed: ParsedEngagement, at: string): Outcome =>
        checkEngagement(parsed, at, { time: { nowMs, shiftMs }, config: limits, pseudonymOf, erasedBefore, tagOf })
      return take({ kind: 'engagement', topic: 'engagements.v1', check }, batch)
    },
    async takeMapped(batch) {
      const tagOf = await tagsOf(options.sourceTags, batch.call)
      const check = (mapped: MappedAct, at: string): Outcome =>
        checkMapped(mapped, at, { config, pseudonymOf, erasedBefore, tagOf })
      return take({ kind: 'engagement', topic: 'engagements.v1', check, isAdmitted: true }, batch)
    },
    takePins(batch) {
      const check = (parsed: ParsedPin, at: string): Outcome => checkPin(parsed, at, config.embeddingWidth)
      return take({ kind: 'pin', topic: 'pins.v1', check }, batch)
    },
    takeCreators: (batch) => take({ kind: 'creator', topic: 'creators.v1', check: checkCreator }, batch),
    takeBoards(batch) {
      const erasedAtMs = (userId: string): number | null => suppression?.erasedAtMs(userId) ?? null
      const check = (parsed: ParsedBoard, at: string): Outcome => checkBoard(parsed, at, { pseudonymOf, erasedAtMs })
      return take({ kind: 'board', topic: 'boards.v1', check }, batch)
    },
    mergeUsers(merge, call) {
      const check = (parsed: MergeOfUsers): Outcome =>
        checkMerge(parsed, clock.now(), { config, pseudonymOf, erasedBefore })
      const read = (event: unknown): MergeOfUsers => event as MergeOfUsers
      return take(
        { kind: 'merge', topic: 'engagements.v1', check },
        { events: [merge], read, single: true, bytes: smallBytes, ...(call && { call }) },
      )
    },
    eraseUser(userId, call) {
      const erasedAtMs = clock.now()
      const check = (id: string): Outcome => checkErasure(id, erasedAtMs, pseudonymOf)
      const read = (id: unknown): string => id as string
      return take(
        { kind: 'erasure', topic: 'erasures.v1', check },
        { events: [userId], read, single: true, bytes: smallBytes, ...(call && { call }) },
      ).then((answer) => {
        if (answer.kind === 'taken' && answer.accepted > 0) suppression?.note(pseudonymOf(userId), erasedAtMs)
        return answer
      })
    },
  }
}

/** Bytes that an erasure or a merge uses while it waits for the log, approximately. */
const smallBytes = 256

/** Creates the function that handles the events of a request: read, check, append, and a receipt for each. */
function createTake(options: IngestOptions, append: Append) {
  const { clock, config, metrics } = options
  const counted = metrics.counter('freshet_ingest_events_total')

  return async <Parsed>(
    { kind, topic, check, isAdmitted }: Handling<Parsed>,
    batch: Batch<Parsed>,
  ): Promise<Answer> => {
    const { events } = batch
    const receivedAtMs = clock.now()
    const refusal = checkSize(events, plural[kind], config.maxBatchEvents)
    if (refusal !== null) return { kind: 'refused', problem: refusal }
    const limited = isAdmitted ? null : await limitedBy(options.rates, events.length, costsOf(events), batch.call)
    if (limited !== null) return { kind: 'refused', problem: limited }

    const problems = new Map<number, readonly IngestProblem[]>()
    const records: NewRecord[] = []
    const merges = new Set<number>()
    for (let i = 0; i < events.length; i++) {
      const at = batch.single ? '' : `${plural[kind]}[${i}]`
      const outcome = withinSize(check(batch.read(events[i], at), at), at, config.maxEventBytes)
      if ('record' in outcome) {
        records.push(outcome.record)
        if (outcome.isMerge ?? kind === 'merge') merges.add(i)
      } else problems.set(i, outcome.problems)
    }
    for (const [first] of problems.values()) counted.inc({ kind, outcome: (first as IngestProblem).code })

    const { bytes, call } = batch
    const positions = records.length === 0 ? [] : await append({ kind, topic, records, bytes, call })
    if ('code' in positions) return { kind: 'refused', problem: positions }
    if (records.length > 0) counted.inc({ kind, outcome: 'accepted' }, records.length)

    const tag = topic === 'erasures.v1' ? '' : logTag(options.watch?.id(topic) ?? '')
    let next = 0
    const receipts = events.map((event, index): Receipt => {
      const id = readId(event, kind)
      const all = problems.get(index)
      if (all !== undefined) return { id, ...(all[0] as IngestProblem), problems: all }
      return { id, token: createToken(topic, merges.has(index), positions[next++] as Position, tag) }
    })
    const notice = topic === 'engagements.v1' ? (options.foldProblem?.() ?? '') : ''
    return { kind: 'taken', receipts, accepted: records.length, receivedAtMs, notice }
  }
}

/** An outcome whose record is not larger than `maxEventBytes`. Engagements that are taken as plain bytes are smaller than the least bound. */
function withinSize(outcome: Outcome, at: string, maxEventBytes: number): Outcome {
  const size = 'record' in outcome ? (outcome.record.value?.length ?? 0) : 0
  if (size <= maxEventBytes) return outcome
  const text = `takes ${size} bytes in the log; send at most ${maxEventBytes} (ingest.maxEventBytes)`
  return { problems: [problemAt('', at === '' ? 'the event' : at, 'EVENT_TOO_LARGE', text)] }
}

function checkSize(events: readonly unknown[], list: string, max: number): IngestProblem | null {
  if (events.length === 0) return problemAt('', list, 'BATCH_EMPTY', 'contains no events; send at least one')
  if (events.length <= max) return null
  const text = `contains ${events.length} events; send at most ${max} in one request`
  return problemAt('', list, 'BATCH_TOO_LARGE', text)
}

/** What the checks of engagements need. */
interface CheckingTagged extends Checking {
  readonly tagOf: TagOf
}

function checkEngagement(
  parsed: ParsedEngagement,
  at: string,
  { time, config, pseudonymOf, erasedBefore, tagOf }: CheckingTagged & { readonly time: RequestTime },
): Outcome {
  if (!parsed.ok) {
    const { occurredAtMs, problems } = parsed
    const corrected = occurredAtMs === null ? null : correctTime(occurredAtMs, at, time, config)
    return { problems: corrected === null || typeof corrected === 'number' ? problems : [...problems, corrected] }
  }
  const timed = correctEngagement(parsed.engagement, at, time, config)
  if ('code' in timed) return { problems: [timed] }
  const userId = asId<UserId>(pseudonymOf(timed.userId))
  const problem = erasedBefore(userId, timed.occurredAtMs, at, 'userId')
  if (problem !== null) return { problems: [problem] }
  const tag = tagOf(timed.userId)
  const stored = tag === null && userId === timed.userId ? timed : { ...timed, userId, ...(tag && { sourceTag: tag }) }
  return { record: { key: userId, value: encodeEngagement(stored, time.nowMs), partition: null } }
}

function checkMapped({ act, time, headers }: MappedAct, at: string, checking: CheckingTagged): Outcome {
  const outcome =
    act.kind === 'merge'
      ? { ...placed(checkMerge(shifted(act.merge, time.shiftMs), time.nowMs, checking), at), isMerge: true }
      : checkEngagement(act.parsed, at, { time, ...checking })
  return headers === undefined || !('record' in outcome)
    ? outcome
    : { ...outcome, record: { ...outcome.record, headers } }
}

function shifted(merge: MergeOfUsers, shiftMs: number): MergeOfUsers {
  return merge.occurredAtMs === null ? merge : { ...merge, occurredAtMs: merge.occurredAtMs + shiftMs }
}

/** An outcome whose problems name the place of their event. */
function placed(outcome: Outcome, at: string): Outcome {
  if ('record' in outcome || at === '') return outcome
  const problems = outcome.problems.map((problem): IngestProblem => {
    const field = `${at}.${problem.field}`
    return { ...problem, field, message: problem.message.replace(problem.field, field) }
  })
  return { problems }
}

function checkErasure(givenId: string, erasedAtMs: number, pseudonymOf: PseudonymOf): Outcome {
  const fault = idFault(givenId)
  if (fault !== null) return { problems: [problemAt('', 'userId', fault.code, fault.text)] }
  const userId = pseudonymOf(givenId)
  return { record: { key: userId, value: UserErasure.encode({ userId, erasedAtMs }).finish(), partition: null } }
}

function createToken(topic: IngestTopic, isMerge: boolean, { partition, position }: Position, log: string): string {
  return topic === 'erasures.v1' ? '' : formatToken({ topic, partition, position, log, isMerge })
}

const idFields = {
  engagement: 'eventId',
  pin: 'pinId',
  creator: 'creatorId',
  board: 'boardId',
  merge: 'fromUserId',
} as const

/** The id of an event as the client sent it, shortened; empty: it is not a string. */
function readId(event: unknown, kind: Kind): string {
  const id = kind === 'erasure' ? event : (event as Record<string, unknown> | null)?.[idFields[kind]]
  return typeof id === 'string' ? id.slice(0, 128).toWellFormed() : ''
}
