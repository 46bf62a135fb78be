import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import { decodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { sourceOf } from '@freshet/contracts/foreign-source'
import type { EventLog, LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { readToEnd } from '@freshet/contracts/read-to-end'
import type { TopicName } from '@freshet/contracts/topics'
import { counted } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { ingestSettings, sourceSettings } from '@freshet/event-ingest/config'
import { parseMapping } from '@freshet/event-ingest/connectors/mapping-file'
import type { ConnectorMapping } from '@freshet/event-ingest/connectors/mapping'
import { startSource, type SourceLog } from '@freshet/event-ingest/connectors/source'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createMetrics } from '@freshet/service/metrics'
import type { Component } from '@freshet/service/service'
import { z } from 'zod'

/** Topic of the other system in the tests of sources. */
export const sourceTopic = 'shop.clicks'

/** What a record of the other system is for Freshet. */
export interface SourceAct {
  readonly user: string
  readonly value: string
  readonly outcome: 'accepted' | 'dead-lettered' | 'skipped'
}

/** The record number `index`: most are clicks of a few users, some are unknown or wrong. */
export function sourceAct(index: number): SourceAct {
  const user = `shopper-${(index * 7) % 11}`
  const click = { kind: 'item-click', who: user, what: `p${index % 13}`, at: 1_769_860_000 + index }
  if (index % 17 === 3) return { user, value: JSON.stringify({ ...click, kind: 'heartbeat' }), outcome: 'skipped' }
  if (index % 19 === 5) return { user, value: JSON.stringify({ ...click, what: null }), outcome: 'dead-lettered' }
  if (index % 23 === 7) return { user, value: '{"kind": "item-cl', outcome: 'dead-lettered' }
  return { user, value: JSON.stringify(click), outcome: 'accepted' }
}

/** How the tests read the other system's records. */
export const sourceMapping = ((): ConnectorMapping => {
  const parsed = parseMapping({
    defaults: false,
    json: {
      name: 'kind',
      fields: { userId: 'who', pinId: 'what', occurredAt: { first: 'at', unit: 's' } },
      events: { 'item-click': 'click' },
    },
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.mapping
})()

/** Starts a reader of the source topic, as event-ingest does. */
export function readSource(
  source: SourceLog,
  log: EventLog,
  given: { readonly maxBatchRecords?: number; readonly from?: 'earliest' | 'latest' } = {},
): { readonly component: Component; counts(): Promise<Readonly<Record<string, number>>> } {
  const clock = createSystemClock()
  const metrics = createMetrics()
  const config = { ...z.object(ingestSettings).parse({}), maxEventAgeDays: 0 }
  const settings = { ...z.object(sourceSettings).parse(given), topic: sourceTopic }
  const report = () => undefined
  const ingest = createIngest({ log, clock, config, metrics, report })
  const options = { source, ingest, log, mapping: sourceMapping, clock, config, settings, metrics, report }
  return {
    component: startSource(options),
    async counts() {
      const lines = (await metrics.text()).matchAll(/freshet_connector_events_total\{[^}]*outcome="([\w-]+)"\} (\d+)/g)
      return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome ?? '', Number(count)] as const))
    },
  }
}

/** Records of the other system as its producer appends them: number `from` up to `from + count`, each with the number as its key. */
export function sourceRecords(from: number, count: number): readonly NewRecord[] {
  return Array.from({ length: count }, (_, row) => {
    const index = from + row
    return { key: String(index), value: Buffer.from(sourceAct(index).value), partition: null }
  })
}

/** All records of a topic. */
export async function recordsIn(log: EventLog, topic: TopicName | typeof sourceTopic): Promise<readonly LogRecord[]> {
  const found: LogRecord[] = []
  await readToEnd({
    log,
    topic,
    maxBatchRecords: 1_000,
    onError: (error) => {
      throw error
    },
    onRecords: (_partition, records) => void found.push(...records),
  })
  return found
}

/** Which records of a source topic the log has, by their place: accepted ones with how often, and dead-lettered ones. */
export async function placesIn(log: EventLog, topicId: string) {
  const accepted = new Map<string, number>()
  for (const { headers } of await recordsIn(log, 'engagements.v1')) {
    const source = sourceOf(headers)
    if (source?.partition.startsWith(`${topicId}/`) !== true) continue
    const place = `${source.partition.split('/')[1] ?? ''}@${source.position}`
    accepted.set(place, (accepted.get(place) ?? 0) + 1)
  }
  const letters = (await recordsIn(log, 'dead-letters.v1'))
    .map(({ value }) => decodeDeadLetter(value as Uint8Array))
    .filter(({ schema }) => schema.endsWith(` ${topicId}`))
  const deadLettered = new Set(letters.map((letter) => `${letter.sourcePartition}@${letter.sourcePosition}`))
  return { accepted, deadLettered }
}

/** The places where the records of the other system must be found, and the clicks of each user. */
export async function expectedOf(theirs: EventLog) {
  const expected = {
    accepted: new Set<string>(),
    deadLettered: new Set<string>(),
    skipped: 0,
    clicks: new Map<string, number>(),
  }
  await readToEnd({
    log: theirs,
    topic: sourceTopic,
    maxBatchRecords: 1_000,
    onError: (error) => {
      throw error
    },
    onRecords(partition, records) {
      for (const { key, position } of records) {
        const { user, outcome } = sourceAct(Number(key))
        if (outcome === 'skipped') expected.skipped++
        else if (outcome === 'dead-lettered') expected.deadLettered.add(`${partition}@${position}`)
        else {
          expected.accepted.add(`${partition}@${position}`)
          expected.clicks.set(user, (expected.clicks.get(user) ?? 0) + 1)
        }
      }
    },
  })
  return expected
}

/** The clicks of each user of the other system in a store. */
export async function clicksIn(store: StateStore, partitions: number): Promise<ReadonlyMap<string, number>> {
  const clicks = new Map<string, number>()
  for (let partition = 0; partition < partitions; partition++) {
    for await (const page of store.scan('user.1', partition)) {
      for (const { key, value } of page) {
        if (!key.startsWith('shopper-')) continue
        const { counters, lastAtMs } = decodeUserState(value)
        clicks.set(key, counted(counters, actions.indexOf('click'), 'total', lastAtMs))
      }
    }
  }
  return clicks
}

/** Starts event-ingest's reader on Kafka: `node source.fixture.ts BROKERS`. It writes a line for each batch that is in the log. Tests kill this process. */
if (import.meta.main) {
  const brokers = (process.argv[2] ?? '').split(',')
  const kafka = createKafkaEventLog({
    brokers,
    clientId: 'source-test',
    clock: createSystemClock(),
    heartbeatMs: 200,
    sessionTimeoutMs: 6_000,
  })
  const told: SourceLog = {
    ...kafka,
    readGroup: (options, call) =>
      kafka.readGroup(
        {
          ...options,
          async onBatch(batch, signal) {
            await options.onBatch(batch, signal)
            process.stdout.write(`${batch.partition} ${batch.next}\n`)
          },
        },
        call,
      ),
  }
  readSource(told, kafka, { maxBatchRecords: 20 })
}
