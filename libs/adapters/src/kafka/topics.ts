import type { TopicLayout, TopicOutcome } from '@freshet/contracts/ports/event-log'
import { outcomeOf } from '../shared/log/layouts.ts'
import type { KafkaCluster } from './cluster.ts'
import type { ConfigEntry, TopicConfig } from './wire/broker.ts'
import { lacksRights, typeOf } from './errors.ts'
import type { KafkaSettings } from './options.ts'

/** A topic's limit includes the batch around a record. */
const batchRoomBytes = 1_024
const createTimeoutMs = 5_000
const pollMs = 50
const settledMs = 20_000
/** The `source` of a setting that was set for a topic. */
const setForTopic = 1

type Config = ReadonlyMap<string, string>

/** The settings of a topic in Kafka. */
export function configOf(layout: TopicLayout): Config {
  const { cleanup, retentionMs, maxRecordBytes, segmentBytes, minCompactionLagMs = 0 } = layout
  return new Map([
    ...(cleanup === 'compact' ? [['min.compaction.lag.ms', String(minCompactionLagMs)] as const] : []),
    ['cleanup.policy', cleanup === 'compact' && retentionMs !== null ? 'compact,delete' : cleanup],
    ['retention.ms', String(retentionMs ?? -1)],
    ['max.message.bytes', String(maxRecordBytes + batchRoomBytes)],
    ...(segmentBytes === undefined ? [] : [['segment.bytes', String(segmentBytes)] as const]),
    // A record's time is its append time; retention must not depend on the senders' clocks.
    ['message.timestamp.type', 'LogAppendTime'],
  ])
}

/** The largest record that a topic with this configuration accepts. */
export function maxRecordBytesIn(config: Config): number {
  return Number(config.get('max.message.bytes') ?? (1 << 20) + batchRoomBytes) - batchRoomBytes
}

/** The largest batch that a topic with this limit accepts. */
export function maxBatchBytesFor(maxRecordBytes: number): number {
  return maxRecordBytes + batchRoomBytes
}

function layoutIn(name: string, partitions: number, config: Config): TopicLayout {
  const retentionMs = Number(config.get('retention.ms') ?? -1)
  const isCompacted = config.get('cleanup.policy')?.includes('compact') === true
  return {
    name,
    partitions,
    cleanup: isCompacted ? 'compact' : 'delete',
    ...(isCompacted && { minCompactionLagMs: Number(config.get('min.compaction.lag.ms') ?? 0) }),
    retentionMs: retentionMs < 0 ? null : retentionMs,
    maxRecordBytes: maxRecordBytesIn(config),
  }
}

/** Reads the configuration of topics: explicit settings and defaults. */
export async function readConfigs(
  cluster: KafkaCluster,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Config>> {
  const found = await cluster.onAny((broker) => broker.describeTopics(topics, configNames)).catch(withoutRights)
  return new Map(
    found.map(({ topic, entries }) => [topic, new Map(entries.map(({ name, value }) => [name, value ?? '']))]),
  )
}

/** A client without permission to read the configuration uses the defaults. */
function withoutRights(error: unknown): readonly TopicConfig[] {
  if (lacksRights(error)) return []
  throw error
}

const configNames = [
  'cleanup.policy',
  'min.compaction.lag.ms',
  'retention.ms',
  'max.message.bytes',
  'segment.bytes',
  'message.timestamp.type',
] as const

/** As `EventLog.applyTopics`; tries each step once; the whole can be repeated. */
export async function applyTopics(
  cluster: KafkaCluster,
  settings: KafkaSettings,
  layouts: readonly TopicLayout[],
): Promise<readonly TopicOutcome[]> {
  const names = layouts.map(({ name }) => name)
  await cluster.refresh(names)
  const existing = names.filter((name) => cluster.knownLeaders(name) !== null)
  const configs = existing.length === 0 ? new Map<string, Config>() : await readConfigs(cluster, existing)
  const outcomes = layouts.map((layout) => {
    const { name } = layout
    const leaders = cluster.knownLeaders(name)
    if (leaders === null) return outcomeOf(layout, null)
    const config = configs.get(name) ?? new Map<string, string>()
    const outcome = outcomeOf(layout, layoutIn(name, leaders.length, config))
    return isAsWanted(layout, config) ? outcome : { name, outcome: 'altered' as const }
  })
  const of = (wanted: TopicOutcome['outcome']) => layouts.filter((_, i) => outcomes[i]?.outcome === wanted)
  await create(cluster, settings, of('created'))
  await alter(cluster, settings, of('altered'))
  return outcomes
}

async function create(cluster: KafkaCluster, settings: KafkaSettings, layouts: readonly TopicLayout[]): Promise<void> {
  if (layouts.length === 0) return
  const topics = layouts.map((layout) => ({
    topic: layout.name,
    partitions: layout.partitions,
    replicationFactor: settings.replicationFactor ?? Math.min(3, cluster.brokerCount()),
    config: entriesOf(layout),
  }))
  try {
    await cluster.onController((broker) => broker.createTopics(topics, createTimeoutMs))
  } catch (error) {
    if (typeOf(error) !== 'TOPIC_ALREADY_EXISTS') throw error
  }
  await polling(settings, 'new partitions have no leaders yet', async () => {
    await cluster.refresh(layouts.map(({ name }) => name))
    return layouts.every(({ name, partitions }) => {
      const leaders = cluster.knownLeaders(name) ?? []
      return leaders.length === partitions && leaders.every((leader) => leader >= 0)
    })
  })
}

async function alter(cluster: KafkaCluster, settings: KafkaSettings, layouts: readonly TopicLayout[]): Promise<void> {
  if (layouts.length === 0) return
  // The request replaces all settings of a topic, so it includes those that others set.
  const described = await cluster.onAny((broker) =>
    broker.describeTopics(
      layouts.map(({ name }) => name),
      null,
    ),
  )
  const topics = layouts.map((layout) => {
    const wanted = entriesOf(layout)
    const found = described.find(({ topic }) => topic === layout.name)?.entries ?? []
    const others = found.flatMap(({ name, value, source }) =>
      source === setForTopic && value !== null && !wanted.some((one) => one.name === name) ? [{ name, value }] : [],
    )
    return { topic: layout.name, config: [...wanted, ...others] }
  })
  await cluster.onController((broker) => broker.alterTopics(topics))
  await polling(settings, 'altered topics are not as they should be yet', async () => {
    const configs = await readConfigs(
      cluster,
      layouts.map(({ name }) => name),
    )
    // A client without permission cannot read the result and trusts the broker's answer.
    return layouts.every((layout) => isAsWanted(layout, configs.get(layout.name) ?? configOf(layout)))
  })
}

/** Waits until the brokers know a change, because the controller knows it first. */
async function polling(settings: KafkaSettings, problem: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = settings.clock.now() + settledMs; !(await isSo());) {
    if (settings.clock.now() > deadlineMs) throw new Error(problem)
    await settings.clock.sleep(pollMs)
  }
}

function isAsWanted(layout: TopicLayout, config: Config): boolean {
  return [...configOf(layout)].every(([key, value]) => config.get(key) === value)
}

function entriesOf(layout: TopicLayout): readonly ConfigEntry[] {
  return [...configOf(layout)].map(([name, value]) => ({ name, value }))
}
