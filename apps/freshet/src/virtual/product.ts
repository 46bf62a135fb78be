import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import type { Engagement } from '@freshet/domain/engagement'
import type { PinChange } from '@freshet/domain/pin'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import { createEmbedded, type Embedded, type EmbeddedConfig } from '../embedded.ts'
import type { Job, JobFactory } from './job.ts'
import { createLockstepPin2Vec } from './lockstep-pin2vec.ts'

/** How a product in virtual time is made. */
export interface VirtualProductOptions {
  readonly models: ModelSlot
  readonly config: EmbeddedConfig
  readonly partitions: number
  /** When the views about all users are refreshed. */
  readonly refresh: 'event' | 'mark'
  /** false: feeds are not ranked and pin state is not folded. */
  readonly ranked: boolean
  /** Seed of the ids of feeds. */
  readonly seed: number
  /** Wraps the log that the services use, for example to look at what they append. */
  readonly wrapLog?: (log: EventLog) => EventLog
  /** Wraps the ranker that the blender calls, for example to look at what it is asked. */
  readonly wrapRanker?: (ranker: Ranker) => Ranker
  /** Wraps the candidate service that the blender calls, for example to let calls fail. */
  readonly wrapCandidates?: (candidates: CandidateService) => CandidateService
  /** Wraps the store that the services use, for example to let calls fail. */
  readonly wrapStore?: (store: StateStore) => StateStore
  /** Where the trainer puts models and the ranker gets them; absent: only the spec's model ranks. */
  readonly modelStore?: ArtefactStore
  /** Work in step with virtual time beside Pin2Vec, which is always there. */
  readonly jobs?: readonly JobFactory[]
}

/** All services and trainers in one process, on adapters in memory, in a time that moves only on request. */
export interface VirtualProduct {
  readonly embedded: Embedded
  nowMs(): number
  /** Moves to a time, milliseconds since the epoch; an earlier time changes nothing. Timers wait for `runTimers`. */
  moveTo(ms: number): void
  /** Accepts a change of the catalogue. It is applied at the latest by the next `settle`. */
  pin(change: PinChange): Promise<void>
  /** Accepts an engagement and moves to its time. It is applied at the latest by the next `settle`. */
  engagement(engagement: Engagement): Promise<void>
  /** Resolves when every service has applied all that was accepted so far. */
  settle(): Promise<void>
  /** Runs timers and jobs that are due, and applies what they write. */
  runTimers(): Promise<void>
  /** Publishes embeddings and, with `refresh: mark`, brings the views about all users up to date. */
  mark(): Promise<void>
  /** Deletes what the retention of the topics no longer keeps. */
  compact(): void
  close(): Promise<void>
}

/** Virtual time does not advance during a request, and no request is too slow for it. */
const patienceMs = 60_000
/** Maximum number of events that are appended together. */
const maxPending = 1_000

/** Creates and starts the product. Rejects with a ZodError or a RetrievalConfigError for settings that cannot be used. */
export async function createVirtualProduct(options: VirtualProductOptions): Promise<VirtualProduct> {
  const { models, config, ranked, refresh } = options
  // Starts after the epoch, because time 0 means that a request has no time.
  const clock = createVirtualClock(1)
  const memory = createMemoryEventLog({ clock })
  const log = options.wrapLog?.(memory) ?? memory
  const memoryStore = createMemoryStateStore({ clock })
  const store = options.wrapStore?.(memoryStore) ?? memoryStore
  await log.applyTopics(topicLayouts(options.partitions))
  let failure: unknown = null
  const onError = (error: unknown): void => void (failure ??= error)
  const embedded = createEmbedded({
    platform: { log, store, artefacts: null, clock, random: createSeededRandom(options.seed), engineClock: noTime },
    models,
    modelStore: options.modelStore ?? null,
    ...(options.wrapRanker && { wrapRanker: options.wrapRanker }),
    ...(options.wrapCandidates && { wrapCandidates: options.wrapCandidates }),
    ranked,
    config: inStep(config, refresh),
    pause: () => Promise.resolve(),
    onError: (_part, error) => onError(error),
  })
  const pending = new Map<TopicName, NewRecord[]>()
  let pendingCount = 0
  const hold = (topic: TopicName, record: NewRecord): void => {
    const records = pending.get(topic) ?? []
    records.push(record)
    pending.set(topic, records)
  }
  const pin2vec = createLockstepPin2Vec({ log, clock, config, hold, onError })
  const jobs: readonly Job[] = (options.jobs ?? []).map((make) => make({ log, clock, models, onError }))
  await embedded.start()
  for (const job of jobs) await job.start()
  await memory.drain()

  async function add(topic: TopicName, key: string, value: Uint8Array): Promise<void> {
    await pin2vec?.learn(topic, key, value)
    hold(topic, { key, value, partition: null })
    if (++pendingCount >= maxPending) await flush()
  }

  async function flush(): Promise<void> {
    if (pendingCount > 0) {
      for (const [topic, records] of pending) await log.append(topic, records)
      pending.clear()
      pendingCount = 0
    }
    await memory.drain()
    if (failure !== null) throw failure as Error
  }

  return {
    embedded,
    nowMs: () => clock.now(),
    moveTo: (ms) => clock.jump(ms),
    pin: (change) =>
      add('pins.v1', change.kind === 'upsert' ? change.pin.pinId : change.pinId, encodePinChange(change)),
    engagement(engagement) {
      clock.jump(engagement.occurredAtMs)
      return add('engagements.v1', engagement.userId, encodeEngagement(engagement, engagement.occurredAtMs))
    },
    async settle() {
      await pin2vec?.rest()
      await flush()
    },
    async runTimers() {
      await clock.wakeDue()
      for (const job of jobs) await job.runDue(clock.now())
      await flush()
    },
    async mark() {
      await pin2vec?.publish()
      await flush()
      embedded.candidates.mark()
      memory.compact()
    },
    compact: () => memory.compact(),
    async close() {
      for (const job of jobs) await job.stop()
      await embedded.stop()
      await log.close()
      await store.close()
    },
  }
}

function inStep(config: EmbeddedConfig, refresh: 'event' | 'mark'): EmbeddedConfig {
  return {
    ...config,
    candidates: {
      ...config.candidates,
      refresh,
      // The catalogue may be missing, so pins appear with their first engagement.
      retrieval: { showUnlistedPins: true, ...config.candidates?.retrieval },
    },
    // A spec that changes while the product runs would make runs differ.
    ranking: { ...config.ranking, specReloadIntervalMs: 0 },
    // The only trainers are those that run in step.
    trainer: null,
    // Virtual time measures quality; the benchmarks measure time.
    blender: { ...longBudgets, showUnlistedPins: true, ...config.blender },
  }
}

/** Stages take no time and are never too late, so that nothing depends on how fast this process is. */
const noTime = { nowMs: () => 0, after: () => () => undefined }

const longBudgets = {
  userStateBudgetMs: patienceMs,
  awaitBudgetMs: patienceMs,
  retrieveBudgetMs: patienceMs,
  rankBudgetMs: patienceMs,
  defaultTimeoutMs: patienceMs,
  maxTimeoutMs: patienceMs,
}
