import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { noHeaders } from '@freshet/contracts/headers'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { EventLog, LogRecord, NewRecord, Position } from '@freshet/contracts/ports/event-log'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import { trainerSchema } from '@freshet/trainer/config'
import { createPin2VecJob } from '@freshet/trainer/pin2vec/pin2vec-job'
import { createEmbedded, type EmbeddedConfig } from '../embedded.ts'
import { memoryPlatform } from '../memory-platform.ts'
import { withoutAlarms } from '../without-alarms.ts'
import type { EvaluationTarget } from './evaluate.ts'
import { RecordingError } from './recording.ts'
import { toRequest, type AskOptions } from './request.ts'

/** Settings of the services in an in-process evaluation. */
export interface InProcessOptions extends AskOptions {
  readonly models: ModelSlot
  readonly config: EmbeddedConfig
  /** When the views about all users are refreshed. */
  readonly refresh: 'event' | 'mark'
  readonly partitions: number
}

/** Maximum real time for a question, milliseconds. Virtual time does not advance during a question. */
const patienceMs = 60_000
/** Maximum number of events that are appended together between two questions. */
const maxPending = 1_000

/** All services in this process on adapters in memory, in virtual time: the time of the recording. */
export async function createInProcessTarget(options: InProcessOptions): Promise<EvaluationTarget> {
  // Starts after the epoch, because time 0 means that a request has no time.
  const clock = createVirtualClock(1)
  const memory = createMemoryEventLog({ clock })
  const ranked = options.ask.kind === 'feed'
  const log = ranked ? memory : withoutPinState(memory)
  const store = createMemoryStateStore({ clock })
  await log.applyTopics(topicLayouts(options.partitions))
  let failure: unknown = null
  const embedded = createEmbedded({
    platform: memoryPlatform({ log, store, clock: withoutAlarms(clock) }),
    models: options.models,
    ranked,
    config: {
      ...options.config,
      candidates: {
        ...options.config.candidates,
        refresh: options.refresh,
        // A recording may have no pins, so pins appear with their first engagement.
        retrieval: { showUnlistedPins: true, ...options.config.candidates?.retrieval },
      },
      // The only trainer is the one below, which runs in step with the recording.
      trainer: null,
      // An evaluation measures quality; the benchmarks measure time.
      blender: { ...longBudgets, showUnlistedPins: true, ...options.config.blender },
    },
    pause: () => Promise.resolve(),
    onError: (_part, error) => (failure ??= error),
  })
  // The trainer gets events in the order of the recording, because its result depends on the order.
  const pin2vec = usesEmbeddings(options.config)
    ? createPin2VecJob({
        log: {
          ...log,
          append: (topic, records) => Promise.resolve(records.map((record) => hold(topic as TopicName, record))),
        },
        clock: withoutAlarms(clock),
        config: trainerSchema.parse(options.config.trainer ?? {}),
        checkpoints: null,
        onError: (error) => (failure ??= error),
      })
    : null
  let learned = 0
  await embedded.start()
  await memory.drain()
  const pending = new Map<TopicName, NewRecord[]>()
  let pendingCount = 0

  function hold(topic: TopicName, record: NewRecord): Position {
    const records = pending.get(topic) ?? []
    records.push(record)
    pending.set(topic, records)
    return { partition: 0, position: 0 }
  }

  /** Gives records to Pin2Vec. Without records Pin2Vec publishes if it is time to, as it does when it follows the log. */
  async function teach(topic: TopicName, records: readonly LogRecord[]): Promise<void> {
    const next = learned + records.length
    await pin2vec?.fold({ topic, partition: 0, from: learned, next, end: next, records })
    learned = next
  }

  async function add(topic: TopicName, key: string, value: Uint8Array): Promise<void> {
    await teach(topic, [{ position: learned, key, value, appendedAtMs: clock.now(), headers: noHeaders }])
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
    async pin(value, place) {
      const parsed = parsePinJson(value, 'pin')
      if (!parsed.ok) throw new RecordingError(place, parsed.problem.message)
      const { change } = parsed
      await add('pins.v1', change.kind === 'upsert' ? change.pin.pinId : change.pinId, encodePinChange(change))
    },
    async engagement(value, place) {
      const parsed = parseEngagementJson(value, 'engagement')
      if (!parsed.ok) throw new RecordingError(place, parsed.problem.message)
      const { engagement } = parsed
      void clock.set(Math.max(clock.now(), engagement.occurredAtMs))
      await add('engagements.v1', engagement.userId, encodeEngagement(engagement, engagement.occurredAtMs))
    },
    async mark() {
      await pin2vec?.publish()
      await flush()
      embedded.candidates.mark()
      memory.compact()
    },
    async ask(question, ask = options.ask) {
      void clock.set(Math.max(clock.now(), question.atMs))
      await teach('engagements.v1', [])
      await flush()
      const { sourceNames } = embedded.candidates
      const put = toRequest(question, { ...options, ask, sourceNames }, [])
      const call = { timeoutMs: patienceMs }
      const answer =
        put.kind === 'feed'
          ? await embedded.blender.getFeed(put.request, call)
          : await embedded.blender.getRelatedPins(put.request, call)
      return { pinIds: answer.items.map(({ pinId }) => pinId), degradation: answer.degradation }
    },
    async close() {
      await embedded.stop()
      await log.close()
      await store.close()
    },
  }
}

function usesEmbeddings({ candidates, trainer }: EmbeddedConfig): boolean {
  if (trainer === null) return false
  const sources = candidates?.retrieval?.['sources'] as
    Readonly<Record<string, { readonly enabled?: boolean }>> | undefined
  return sources?.['pin2vec']?.enabled !== false
}

/** A log that drops engagements for pin state. Only the ranker reads pin state, and here nothing is ranked. */
function withoutPinState(log: EventLog): EventLog {
  return {
    ...log,
    append: (topic, records, options) =>
      topic === 'pin-engagements.v1'
        ? Promise.resolve(records.map(() => ({ partition: 0, position: 0 })))
        : log.append(topic, records, options),
  }
}

const longBudgets = {
  userStateBudgetMs: patienceMs,
  awaitBudgetMs: patienceMs,
  retrieveBudgetMs: patienceMs,
  rankBudgetMs: patienceMs,
  defaultTimeoutMs: patienceMs,
  maxTimeoutMs: patienceMs,
}
