import { anonymousCaller } from '@freshet/access/caller'
import { noPseudonyms, type PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeReceivedEngagement, type DeadLetter } from '@freshet/contracts/codecs/onward'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import { noHeaders } from '@freshet/contracts/headers'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import { maxSourceTag } from '@freshet/domain/engagement'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import type { IngestConfig } from '../config.ts'
import { clockShiftMs } from '../event-time.ts'
import { createIngest, type MappedAct } from '../ingest.ts'
import type { Suppression } from '../suppression.ts'
import { readCloudEvent, type ReadEvent } from './cloudevents.ts'
import { actOf } from './connectors.ts'
import { usersOf } from './letters.ts'
import { mapEvent } from './map-event.ts'
import type { ConnectorFormat, ConnectorMapping } from './mapping.ts'
import { readSegmentEvent, sentAtOf } from './segment.ts'
import { jsonEventId } from './source-record.ts'

/** Dependencies of the reader of letters. */
export interface LetterReaderOptions {
  readonly mapping: ConnectorMapping
  /** All erased users, by stored id. */
  readonly suppression: Suppression
  /** The id under which a user is stored; absent: the given one. */
  readonly pseudonymOf?: PseudonymOf
  /** The settings of event-ingest, whose bounds of times hold for the time of arrival. */
  readonly config: IngestConfig
  /** Milliseconds since the epoch: when the event is taken. */
  readonly now: () => number
}

/** What a letter is by a mapping: a record of `engagements.v1`, or why it is none. */
export type ReadLetter =
  | { readonly kind: 'record'; readonly record: NewRecord }
  | { readonly kind: 'skipped'; readonly message: string }
  | { readonly kind: 'erased' }
  | { readonly kind: 'bad'; readonly message: string }

/**
 * The tag of all replayed events of HTTP. A letter does not say from which address its event came, so they count for a pin in
 * popularity and trending like the events of one address: whoever fills the dead letters makes no pin trend by their replay.
 */
const replayTag = maxSourceTag

/**
 * Creates the reader of dead letters that connectors wrote. It maps the event again and checks it as when it arrived: its times against
 * the time of its arrival, its user against the erasures. The id of an event is that of its first reading.
 */
export function createLetterReader(options: LetterReaderOptions): (letter: DeadLetter) => Promise<ReadLetter> {
  const { mapping, suppression, config, now, pseudonymOf = noPseudonyms } = options
  let taken: NewRecord[] = []
  const log = {
    append: (_topic: string, records: readonly NewRecord[]) => {
      taken = [...records]
      return Promise.resolve(records.map(() => ({ partition: 0, position: 0 })))
    },
  } as unknown as EventLog
  const ingestOf = (isOfHttp: boolean) =>
    createIngest({
      ...{ log, config, suppression, pseudonymOf, metrics: createMetrics(), report: silentReport },
      clock: { now, sleep: () => Promise.resolve() },
      ...(isOfHttp && { sourceTags: { of: () => replayTag } }),
    })
  const ingests = { http: ingestOf(true), source: ingestOf(false) }

  return async (letter) => {
    const place = placeOf(letter)
    if (place === null) return bad(`nothing is known about replaying ${letter.sourceTopic} (${letter.schema})`)
    const document = documentOf(letter)
    if (typeof document === 'string') return bad(document)
    const read = readAgain(letter, document, place, mapping)
    const isErased = usersOf(read, place.format, mapping).some((userId) => {
      const erasedAtMs = suppression.erasedAtMs(pseudonymOf(userId))
      return erasedAtMs !== null && letter.atMs <= erasedAtMs
    })
    if (isErased) return { kind: 'erased' }
    const { mapped } = read
    if (mapped.kind === 'skipped') return { kind: 'skipped', message: mapped.message }
    if (mapped.kind === 'refused') return bad(texts(mapped.problems))
    // A letter does not say who sent it, and a write key may not merge users.
    if (mapped.kind === 'merge' && place.isOfHttp)
      return { kind: 'skipped', message: 'a replay merges no users of events over HTTP; use POST /v1/users/{id}/merge' }
    const shiftMs = clockShiftMs(
      { sentAtMs: place.format === 'segment' ? sentAtOf(read.raw) : null, offsetMs: 0 },
      letter.atMs,
      config.toleratedSkewMs,
    )
    const event = { act: actOf(mapped) as MappedAct['act'], time: { nowMs: letter.atMs, shiftMs } }
    const answer = await ingests[place.isOfHttp ? 'http' : 'source'].takeMapped({
      ...{ events: [event], read: (each: unknown) => each as MappedAct, single: true, bytes: letter.value.length },
      call: { trace: noHeaders, deadlineMs: null, source: { caller: anonymousCaller, peer: '', forwarded: '' } },
    })
    if (answer.kind === 'refused') return bad(answer.problem.message)
    const [receipt] = answer.receipts
    if (receipt !== undefined && 'code' in receipt)
      return receipt.code === 'USER_ERASED' ? { kind: 'erased' } : bad(texts(receipt.problems))
    return { kind: 'record', record: receivedNow(taken[0] as NewRecord, now()) }
  }
}

/** What a letter says about the source of its event. */
interface LetterPlace {
  readonly isOfHttp: boolean
  readonly format: ConnectorFormat
  /** Id of the topic of another system; empty: the event came over HTTP. */
  readonly topicId: string
}

function placeOf({ sourceTopic, schema }: DeadLetter): LetterPlace | null {
  const [, http] = /^http:(segment|cloudevents)$/.exec(sourceTopic) ?? []
  if (http !== undefined) return { isOfHttp: true, format: http as ConnectorFormat, topicId: '' }
  const [, format, topicId = ''] = /^(json|cloudevents|segment) event of topic (.+)$/.exec(schema) ?? []
  if (!sourceTopic.startsWith('source:') || format === undefined) return null
  return { isOfHttp: false, format: format as ConnectorFormat, topicId }
}

/** The event of a letter, or why there is none. */
function documentOf({ value, message }: DeadLetter): Readonly<Record<string, unknown>> | string {
  if (value.length === 0) return 'the letter keeps nothing of its event; send the event again from its source'
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(value).toString('utf8'))
  } catch {
    const isCut = message.includes('(value cut from ')
    return isCut
      ? 'the letter keeps only a part of its event; send it again'
      : 'the letter is not JSON; send the event again'
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return 'the event was not an object, so the letter keeps nothing of it; send the event again'
  const names = Object.keys(document)
  if (names.every((name) => name === 'id' || name === 'name'))
    return 'the letter keeps only id and name of its event, because users have pseudonyms; send the event again'
  return document as Readonly<Record<string, unknown>>
}

function readAgain(letter: DeadLetter, document: unknown, place: LetterPlace, mapping: ConnectorMapping): ReadEvent {
  const arrival = { at: '', arrivedAtMs: letter.atMs }
  if (place.format === 'segment') return readSegmentEvent(document, null, arrival, mapping)
  if (place.format === 'cloudevents') return readCloudEvent(document, arrival, mapping)
  const eventId = jsonEventId({ topicId: place.topicId, partition: letter.sourcePartition }, letter.sourcePosition)
  return { id: eventId, mapped: mapEvent({ ...arrival, document, eventId }, mapping.json), raw: document }
}

/** The record with the present as the time of receipt, by which the feature updater tells repeats of the last hours. */
function receivedNow(record: NewRecord, nowMs: number): NewRecord {
  const value = record.value as Uint8Array
  if (isUserMerge(value)) return record
  return { ...record, value: encodeEngagement(decodeReceivedEngagement(value).engagement, nowMs) }
}

function texts(problems: readonly IngestProblem[]): string {
  const isIncomplete = problems.some(({ code }) => code === 'EVENT_FIELD_MISSING')
  const hint = '. A letter keeps what the mapping of its time read; "keep" in the mapping file keeps more'
  return `${problems.map(({ code, message }) => `${code}: ${message}`).join('; ')}${isIncomplete ? hint : ''}`
}

function bad(message: string): ReadLetter {
  return { kind: 'bad', message }
}
