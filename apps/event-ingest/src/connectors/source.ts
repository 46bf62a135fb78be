import { noPseudonyms, type PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { ContractError } from '@freshet/contracts/errors'
import { sourceHeader } from '@freshet/contracts/foreign-source'
import { maxHeadersBytes, noHeaders } from '@freshet/contracts/headers'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import type {
  EventLog,
  LogBatch,
  LogReader,
  LogRecord,
  NewRecord,
  TopicPartition,
} from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { maxRecordBytes } from '@freshet/contracts/topics'
import { traceOf } from '@freshet/contracts/trace-context'
import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { Component } from '@freshet/service/service'
import type { IngestConfig, SourceConfig } from '../config.ts'
import { clockShiftMs } from '../event-time.ts'
import type { Ingest, MappedAct } from '../ingest.ts'
import type { ReadEvent } from './cloudevents.ts'
import { actOf, moved } from './connectors.ts'
import { keptText, messageOf, usersOf } from './letters.ts'
import type { ConnectorMapping } from './mapping.ts'
import { sentAtOf } from './segment.ts'
import { readSourceRecord } from './source-record.ts'

/** The log that another system's topic is in. */
export interface SourceLog extends Pick<EventLog, 'readGroup' | 'identity' | 'ends'> {
  /** One past the last position that members of a group handled, per partition, as they last wrote it; null: nothing was written. */
  committed(group: string, topic: string, call?: PortCall): Promise<readonly (number | null)[]>
  /** Writes where a group begins, per partition; nothing if it has members. */
  begin(group: string, topic: string, positions: readonly number[], call?: PortCall): Promise<void>
}

/** Dependencies and settings of the reader of a source. */
export interface SourceOptions {
  readonly source: SourceLog
  readonly ingest: Ingest
  /** Takes the dead letters. */
  readonly log: Pick<EventLog, 'append'>
  readonly mapping: ConnectorMapping
  /** The stored form of a user id; absent: the id itself. */
  readonly pseudonymOf?: PseudonymOf
  readonly clock: Clock
  readonly config: IngestConfig
  readonly settings: Omit<SourceConfig, 'topic'> & { readonly topic: string }
  readonly metrics: Metrics
  readonly report: Report
}

/** Pause before the reader tries to open the source again, and between two looks at which topic it is. */
const retryEveryMs = 1_000
const lookEveryMs = 5_000

/**
 * Reads another system's topic into `engagements.v1`. Law: records read = accepted + dead-lettered + skipped by name (or of erased users), and state
 * is what folding each accepted record once gives. Three things make it so. A record always gives the same event. The reader
 * hands on the records of a partition in their order and one batch at a time, and it counts a batch as handled only when
 * the log has all of it: so whoever reads on begins at or before the first record that the log does not have. And each record
 * in the log names its source, by whose position the feature updater drops what comes again (`foreign-source.ts`).
 */
export function startSource(options: SourceOptions): Component {
  const { source, clock, settings, metrics, report } = options
  const { topic } = settings
  const ending = new AbortController()
  const { signal } = ending
  let reader: LogReader | null = null
  let problem: string | null = `the topic ${topic} has not answered yet`
  const lag = metrics.gauge('freshet_connector_lag_records')
  metrics.beforeScrape(
    async () => {
      lag.set(reader === null ? Number.NaN : await reader.lag())
    },
    () => lag.set(Number.NaN),
  )

  const failed = (error: unknown, at?: TopicPartition): void => {
    problem = `${topic}: ${(error as Error).message}`
    report(error, { part: 'source', topic, partition: at?.partition })
  }

  /** Reads until the topic is another one, or has other partitions. */
  async function readOne(): Promise<void> {
    const topicId = await source.identity(topic, { signal })
    if (topicId === null)
      throw new ContractError(
        'SOURCE_UNIDENTIFIED',
        `the brokers do not say which ${topic} this is, so a topic that was created again would go unnoticed; use Kafka 2.8 or later`,
      )
    const group = `${settings.group}.${topicId}`
    const { length } = await beginningOf(options, group, signal)
    const take = createTake(options, topicId)
    reader = await source.readGroup(
      {
        group,
        topics: [topic],
        maxBatchRecords: Math.min(settings.maxBatchRecords, options.config.maxBatchEvents),
        // A partition that was added later has no position and begins at its beginning.
        startAt: async ({ partition }) => (await source.committed(group, topic))[partition] ?? null,
        onError: failed,
        async onBatch(batch) {
          await take(batch)
          problem = null
        },
      },
      { signal },
    )
    problem = null
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, signal)
      const [id, positions] = await Promise.all([
        source.identity(topic, { signal }),
        source.committed(group, topic, { signal }),
      ])
      if (id !== topicId || positions.length !== length) return
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await readOne()
      } catch (error) {
        if (!signal.aborted) failed(error)
      }
      await reader?.stop().catch(failed)
      reader = null
      await clock.sleep(retryEveryMs, signal).catch(() => undefined)
    }
  }
  const running = run()

  return {
    name: 'source',
    // A warning, because requests over HTTP and gRPC are served all the same.
    warning: () => problem,
    async drain() {
      ending.abort(new Error('the reader of the source is stopping'))
      await running
    },
  }
}

/**
 * Where the partitions of a group begin, null: at their beginning. A group that has never read the topic and begins at its end writes the end
 * first: what comes after it is read even if the process dies before it has read anything.
 */
async function beginningOf(
  { source, settings: { topic, from } }: SourceOptions,
  group: string,
  signal: AbortSignal,
): Promise<readonly (number | null)[]> {
  const positions = await source.committed(group, topic, { signal })
  if (from === 'earliest' || positions.some((position) => position !== null)) return positions
  await source.begin(group, topic, await source.ends(topic, { signal }), { signal })
  return source.committed(group, topic, { signal })
}

/** Creates the function that takes one batch. It resolves when the log has every event and dead letter, and rejects otherwise. */
function createTake(options: SourceOptions, topicId: string): (batch: LogBatch) => Promise<void> {
  const { ingest, log, mapping, clock, config, settings, metrics, pseudonymOf = noPseudonyms } = options
  const counted = metrics.counter('freshet_connector_events_total')

  return async ({ partition, records, deletedUnread = 0 }) => {
    const read = records.map((record) => {
      const arrivedAtMs = arrivalOf(record, clock.now())
      return {
        record,
        arrivedAtMs,
        event: readSourceRecord(record, { topicId, partition, arrivedAtMs }, settings.format, mapping),
      }
    })
    const refusals = new Map<number, IngestProblem>()
    const acts = read.flatMap(({ record, arrivedAtMs, event }, row) => {
      if (event.mapped.kind === 'refused') refusals.set(row, event.mapped.problems[0])
      const act = actOf(event.mapped)
      if (act === null) return []
      const sentAtMs = settings.format === 'segment' ? sentAtOf(event.raw) : null
      const shiftMs = clockShiftMs({ sentAtMs, offsetMs: 0 }, arrivedAtMs, config.toleratedSkewMs)
      const headers = { ...traceOf(record.headers), ...sourceHeader(topicId, partition, record.position) }
      return [{ row, eventId: event.id, act, time: { nowMs: arrivedAtMs, shiftMs }, headers }]
    })
    if (acts.length > 0) {
      const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
      const call = { trace: noHeaders, deadlineMs: null }
      const answer = await ingest.takeMapped({ events: acts, read: asMapped, single: false, bytes, call })
      if (answer.kind === 'refused')
        throw new ContractError('LOG_UNAVAILABLE', `records of ${settings.topic} wait: ${answer.problem.message}`)
      answer.receipts.forEach((receipt, index) => {
        const { row } = acts[index] as (typeof acts)[number]
        if ('code' in receipt) refusals.set(row, moved(receipt, `engagements[${index}]`, ''))
      })
    }
    const place = { topic: settings.topic, topicId, partition }
    const letters = [...refusals].flatMap(([row, problem]) => {
      const { record, arrivedAtMs, event } = read[row] as (typeof read)[number]
      const isUser = idProblem(record.key) === null
      const users = [...usersOf(event, settings.format, mapping), ...(isUser ? [record.key] : [])]
      // Of a user who was erased, nothing is put aside, whatever else is wrong with it.
      if (problem.code === 'USER_ERASED' || users.some((userId) => ingest.isErased(userId))) return []
      const [user] = users
      const key = user === undefined ? 'source' : pseudonymOf(user)
      return [letterOf({ record, arrivedAtMs, event, problem, key }, place, options)]
    })
    if (letters.length > 0) await log.append('dead-letters.v1', letters)
    read.forEach(({ event: { mapped } }, row) => {
      const outcome =
        refusals.get(row)?.code ??
        (mapped.kind === 'skipped' ? mapped.reason : mapped.kind === 'merge' ? 'merged' : 'accepted')
      counted.inc({ connector: 'source', outcome })
    })
    if (deletedUnread > 0) counted.inc({ connector: 'source', outcome: 'lost' }, deletedUnread)
  }
}

const asMapped = (event: unknown): MappedAct => event as MappedAct

/** When a record was appended. Producers may set the time themselves; a time that cannot be is replaced by the present. */
function arrivalOf({ appendedAtMs }: LogRecord, nowMs: number): number {
  return appendedAtMs > 0 && appendedAtMs <= nowMs ? appendedAtMs : nowMs
}

/** Room for the other fields of a dead letter. */
const frameBytes = 4_096

interface BadSourceRecord {
  readonly record: LogRecord
  readonly arrivedAtMs: number
  readonly event: ReadEvent
  readonly problem: IngestProblem
  /** The stored id of the user. */
  readonly key: string
}

/** The dead letter of a record, of nothing but the record, so that one that is written again is the same. Of a value that cannot be read it keeps nothing, and of no value where ids are replaced by pseudonyms: it names the place of the record. */
function letterOf(
  { record, arrivedAtMs, event, problem, key }: BadSourceRecord,
  at: { readonly topic: string; readonly topicId: string; readonly partition: number },
  { mapping, settings: { format }, pseudonymOf = noPseudonyms }: SourceOptions,
): NewRecord {
  const isNamed = pseudonymOf !== noPseudonyms
  // Of what cannot be read nobody can tell what it says about people.
  const value = Buffer.from(isNamed || event.raw === null ? '' : keptText(event.raw, format, mapping))
  const message = messageOf(problem, event, isNamed)
  const room = maxRecordBytes - maxHeadersBytes - frameBytes - 8 * key.length
  const cut = value.length > room ? ` (value cut from ${value.length} bytes)` : ''
  return {
    key,
    partition: null,
    headers: traceOf(record.headers),
    value: encodeDeadLetter({
      sourceTopic: `source:${at.topic}`,
      sourcePartition: at.partition,
      sourcePosition: record.position,
      key,
      value: value.subarray(0, Math.max(0, room)),
      code: problem.code,
      message: `${message.slice(0, 500)}${cut}`,
      schema: `${format} event of topic ${at.topicId}`,
      atMs: arrivedAtMs,
    }),
  }
}
