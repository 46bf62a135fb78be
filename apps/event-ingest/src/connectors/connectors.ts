import { isTrusted, type Caller } from '@freshet/access/caller'
import { mergeOfKnownUser } from '@freshet/adapters/access/ingest-rules'
import { noPseudonyms, type PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { isContractError } from '@freshet/contracts/errors'
import { problemAt, type IngestCode, type IngestProblem } from '@freshet/contracts/json/problems'
import { formatTime } from '@freshet/contracts/json/time'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { hash53 } from '@freshet/domain/hash'
import { isAnonymousId } from '@freshet/domain/ids'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { IngestCall } from '../append.ts'
import type { IngestConfig } from '../config.ts'
import { clockShiftMs, type ClientClock } from '../event-time.ts'
import type { Ingest, MappedAct, Receipt } from '../ingest.ts'
import { problemOf } from '../request-problems.ts'
import type { ReadEvent } from './cloudevents.ts'
import { keptText, messageOf, namedText, usersOf } from './letters.ts'
import type { SkipReason } from './map-event.ts'
import type { ConnectorMapping } from './mapping.ts'
import { readMappingFile } from './mapping-file.ts'

/** The connectors over HTTP. */
export type Connector = 'cloudevents' | 'segment'

/** What became of one event. */
export type ConnectorReceipt = Receipt | { readonly id: string; readonly skipped: SkipReason; readonly message: string }

/** What became of a request: a receipt for each event in its order, or the reason why all of it was refused. */
export type ConnectorAnswer =
  | {
      readonly kind: 'taken'
      readonly receipts: readonly ConnectorReceipt[]
      readonly accepted: number
      readonly skipped: number
      readonly rejected: number
      /** As in `Answer`. */
      readonly receivedAtMs: number
      readonly notice: string
    }
  | { readonly kind: 'refused'; readonly problem: IngestProblem }

/** The events of a request in another system's form. */
export interface ConnectorRequest {
  readonly connector: Connector
  /** Name of the list in the request, for problems. */
  readonly list: string
  readonly events: readonly unknown[]
  readonly read: (event: unknown, index: number, arrivedAtMs: number) => ReadEvent
  /** When the client sent it by its own clock; null: it does not say. */
  readonly sentAtMs: number | null
  readonly bytes: number
  /** Who sends it. Only callers that may merge users can do so by an event. */
  readonly caller: Caller
  readonly call: IngestCall
}

/** Takes events of other systems. */
export interface Connectors {
  readonly mapping: ConnectorMapping
  take(request: ConnectorRequest): Promise<ConnectorAnswer>
}

/** Dependencies and settings of the connectors. */
export interface ConnectorOptions {
  readonly ingest: Ingest
  readonly log: Pick<EventLog, 'append'>
  readonly clock: Pick<Clock, 'now'>
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly report: Report
  /** The id under which a user is stored; absent: the given one. */
  readonly pseudonymOf?: PseudonymOf
}

/** Reads the mapping file and creates the connectors. Throws a MappingError with all mistakes of the file. */
export function createConnectors(options: ConnectorOptions): Connectors {
  const { ingest, clock, config, metrics } = options
  const mapping = readMappingFile(config.connectors.file)
  const counted = metrics.counter('freshet_connector_events_total')

  return {
    mapping,
    async take(request) {
      const { connector, events, bytes, call } = request
      const refusal = sizeProblem(request, config.maxBatchEvents)
      if (refusal !== null) return { kind: 'refused', problem: refusal }
      const nowMs = clock.now()
      const read = events.map((event, index) =>
        withoutForbiddenMerge(request.read(event, index, nowMs), request.caller),
      )
      // Also events that are put aside or skipped count: whoever sends them uses the log and this process.
      const limited = await ingest.admit(events.length, costsOf(read), call)
      if (limited !== null) return { kind: 'refused', problem: limited }
      const sender: ClientClock = { sentAtMs: request.sentAtMs, offsetMs: 0 }
      const shiftMs = clockShiftMs(sender, nowMs, config.toleratedSkewMs)

      const receipts: ConnectorReceipt[] = read.map(({ id, mapped }) => {
        if (mapped.kind === 'skipped') return { id, skipped: mapped.reason, message: mapped.message }
        return mapped.kind === 'refused' ? refusedReceipt(id, mapped.problems) : { id, token: '' }
      })
      const acts = read.flatMap(({ id, mapped }, index) => {
        const act = actOf(mapped)
        return act === null ? [] : [{ eventId: id, index, act, time: { nowMs, shiftMs } }]
      })
      let notice = ''
      if (acts.length > 0) {
        const answer = await ingest.takeMapped({ events: acts, read: asMapped, single: false, bytes, call })
        if (answer.kind === 'refused') return answer
        notice = answer.notice
        answer.receipts.forEach((receipt, row) => {
          const { index, eventId: id } = acts[row] as (typeof acts)[number]
          const at = placeOf(request, index)
          receipts[index] =
            'code' in receipt
              ? refusedReceipt(
                  id,
                  receipt.problems.map((one) => moved(one, `engagements[${row}]`, at)),
                )
              : { ...receipt, id }
        })
      }
      const failure = connector === 'segment' ? await putAside(options, mapping, request, { read, receipts }) : null
      if (failure !== null) return { kind: 'refused', problem: failure }

      const counts = { accepted: 0, skipped: 0, rejected: 0 }
      for (const [index, receipt] of receipts.entries()) {
        const kind = 'skipped' in receipt ? 'skipped' : 'code' in receipt ? 'rejected' : 'accepted'
        counts[kind]++
        counted.inc({ connector, outcome: outcomeOf(receipt, read[index]) })
      }
      return { kind: 'taken', receipts, ...counts, receivedAtMs: nowMs, notice }
    },
  }
}

/** The rule of `MergeUsers`: who merges an anonymous user into a known one must be the known one, or a trusted caller. */
function withoutForbiddenMerge(read: ReadEvent, caller: Caller): ReadEvent {
  const { mapped } = read
  if (mapped.kind !== 'merge' || isTrusted(caller)) return read
  const isOwn = caller.userId === mapped.intoUserId
  if (isOwn && isAnonymousId(mapped.fromUserId)) return read
  const message = isOwn
    ? mergeOfKnownUser
    : 'a write key alone may not merge users; send a read token of the known user beside it, a signed request of a server key, or POST /v1/users/{id}/merge from a server'
  return { ...read, mapped: { kind: 'skipped', reason: 'merge-denied', message } }
}

function outcomeOf(receipt: ConnectorReceipt, read: ReadEvent | undefined): string {
  if ('skipped' in receipt) return receipt.skipped
  if ('code' in receipt) return receipt.code
  return read?.mapped.kind === 'merge' ? 'merged' : 'accepted'
}

/** The number of events of each user. A merge counts for the known user. */
function costsOf(read: readonly ReadEvent[]): ReadonlyMap<string, number> {
  const costs = new Map<string, number>()
  for (const { mapped } of read) {
    const userId =
      mapped.kind === 'engagement' ? mapped.document['userId'] : mapped.kind === 'merge' ? mapped.intoUserId : undefined
    if (typeof userId === 'string') costs.set(userId, (costs.get(userId) ?? 0) + 1)
  }
  return costs
}

/** What an event means for the log; null: nothing. */
export function actOf(mapped: ReadEvent['mapped']): MappedAct['act'] | null {
  if (mapped.kind === 'engagement') return mapped
  if (mapped.kind !== 'merge') return null
  const { kind, ...merge } = mapped
  return { kind, merge }
}

const asMapped = (event: unknown): MappedAct => event as MappedAct

function refusedReceipt(id: string, problems: readonly IngestProblem[]): Receipt {
  return { id, ...(problems[0] as IngestProblem), problems }
}

/** The place of an event in its request; empty: the request is one event. */
function placeOf({ list, events }: Pick<ConnectorRequest, 'list' | 'events'>, index: number): string {
  return list === '' && events.length === 1 ? '' : `${list}[${index}]`
}

/** A problem at another place of the request. */
export function moved(problem: IngestProblem, from: string, to: string): IngestProblem {
  if (!problem.field.startsWith(from)) return problem
  const rest = problem.field.slice(from.length)
  const field = to === '' ? rest.replace(/^\./, '') : `${to}${rest}`
  return { ...problem, field, message: problem.message.replace(problem.field, field) }
}

function sizeProblem({ events, list }: ConnectorRequest, max: number): IngestProblem | null {
  const problem = (code: IngestCode, text: string): IngestProblem =>
    list === '' ? problemOf('the batch', code, text) : problemAt('', list, code, text)
  if (events.length === 0) return problem('BATCH_EMPTY', 'contains no events; send at least one')
  if (events.length <= max) return null
  return problem('BATCH_TOO_LARGE', `contains ${events.length} events; send at most ${max} in one request`)
}

/** Longest value of a dead letter, bytes. */
const maxLetterBytes = 64 << 10
/** Number of keys of letters that name no user. */
const spreadKeys = 256

/**
 * Writes the rejected events of a request to the dead letters, because the senders do not read answers. A repeat of the same
 * event is the same letter. Resolves to the problem that the client gets if the log does not have them.
 */
async function putAside(
  { log, ingest, clock, report, pseudonymOf = noPseudonyms }: ConnectorOptions,
  mapping: ConnectorMapping,
  request: ConnectorRequest,
  { read, receipts }: { readonly read: readonly ReadEvent[]; readonly receipts: readonly ConnectorReceipt[] },
): Promise<IngestProblem | null> {
  const { connector } = request
  const letters = receipts.flatMap((receipt, index) => {
    if (!('code' in receipt)) return []
    const event = read[index] as ReadEvent
    const users = usersOf(event, connector, mapping)
    // Of a user who was erased, nothing is put aside, whatever else is wrong with it.
    if (receipt.code === 'USER_ERASED' || users.some((userId) => ingest.isErased(userId))) return []
    const isNamed = pseudonymOf !== noPseudonyms
    const text = isNamed ? namedText(event, connector, mapping) : keptText(event.raw, connector, mapping)
    // The same for a repeat of the same event. Only the pseudonym tells nothing about what is not kept.
    const identity = hash53(isNamed ? pseudonymOf(`${event.id}\n${JSON.stringify(event.raw)}`) : `${event.id}\n${text}`)
    const message = messageOf(receipt, event, isNamed)
    const value = isNamed ? text : withSentAt(text, request.sentAtMs)
    const [user] = users
    // Letters of nobody are spread over the partitions, also those of many equal events.
    const key = user === undefined ? `${connector}-${(identity + index) % spreadKeys}` : pseudonymOf(user)
    return [letterOf(connector, { key, identity, text: value, code: receipt.code, message, nowMs: clock.now() })]
  })
  if (letters.length === 0) return null
  const bytes = letters.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  const release = ingest.inFlight.take(bytes)
  if (release === null)
    return problemOf(
      'the request',
      'INGEST_OVERLOADED',
      'was not accepted: too many bytes wait for the log; send it again',
    )
  try {
    await log.append('dead-letters.v1', letters, { headers: request.call.trace })
    return null
  } catch (error) {
    const outcome = isContractError(error) ? 'left-out' : 'defect'
    report(error, { part: 'connectors', topic: 'dead-letters.v1', outcome, count: letters.length })
    const text = 'may not have been accepted: the log does not answer; send the same events again'
    return problemOf('the request', isContractError(error) ? 'INGEST_UNAVAILABLE' : 'INGEST_INTERNAL', text)
  } finally {
    release()
  }
}

/** The text of a letter with the time at which its batch was sent, by which a replay corrects a wrong clock. */
function withSentAt(text: string, sentAtMs: number | null): string {
  const kept = JSON.parse(text) as { readonly sentAt?: unknown } | null
  return kept === null || sentAtMs === null || kept.sentAt !== undefined
    ? text
    : JSON.stringify({ ...kept, sentAt: formatTime(sentAtMs) })
}

interface Letter {
  readonly key: string
  readonly identity: number
  readonly text: string
  readonly code: string
  readonly message: string
  readonly nowMs: number
}

function letterOf(connector: Connector, { key, identity, text, code, message, nowMs }: Letter): NewRecord {
  return {
    key,
    partition: null,
    value: encodeDeadLetter({
      sourceTopic: `http:${connector}`,
      sourcePartition: 0,
      sourcePosition: identity,
      key,
      value: Buffer.from(text).subarray(0, maxLetterBytes),
      code,
      message: message.slice(0, 500),
      schema: `${connector} event`,
      atMs: nowMs,
    }),
  }
}
