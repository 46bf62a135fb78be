import { noHeaders } from '@freshet/contracts/headers'
import type { EventLog, LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import type { Clock } from '@freshet/domain/clock'
import { trainerSchema } from '@freshet/trainer/config'
import { createPin2VecJob } from '@freshet/trainer/pin2vec/pin2vec-job'
import type { EmbeddedConfig } from '../embedded.ts'

/** Pin2Vec, taught record by record. */
export interface LockstepPin2Vec {
  /** Learns from a record, and publishes if it is time to. */
  learn(topic: TopicName, key: string, value: Uint8Array): Promise<void>
  /** Publishes if it is time to, as it does when it follows a log without new records. */
  rest(): Promise<void>
  publish(): Promise<void>
}

/**
 * A trainer that gets events in the order of their lines, because its result depends on the order. `hold` takes the rows that
 * it publishes. null: the settings switch embeddings off.
 */
export function createLockstepPin2Vec(options: {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: EmbeddedConfig
  readonly hold: (topic: TopicName, record: NewRecord) => void
  readonly onError: (error: Error) => void
}): LockstepPin2Vec | null {
  const { log, clock, config, hold, onError } = options
  if (!usesEmbeddings(config)) return null
  const job = createPin2VecJob({
    log: {
      ...log,
      append: (topic, records) =>
        Promise.resolve(
          records.map((record) => {
            hold(topic as TopicName, record)
            return { partition: 0, position: 0 }
          }),
        ),
    },
    clock,
    config: trainerSchema.parse(config.trainer ?? {}),
    checkpoints: null,
    onError,
  })
  let learned = 0

  async function teach(topic: TopicName, records: readonly LogRecord[]): Promise<void> {
    const next = learned + records.length
    await job.fold({ topic, partition: 0, from: learned, next, end: next, records })
    learned = next
  }

  return {
    learn: (topic, key, value) =>
      teach(topic, [{ position: learned, key, value, appendedAtMs: clock.now(), headers: noHeaders }]),
    rest: () => teach('engagements.v1', []),
    publish: () => job.publish(),
  }
}

function usesEmbeddings({ candidates, trainer }: EmbeddedConfig): boolean {
  if (trainer === null) return false
  const sources = candidates?.retrieval?.['sources'] as
    Readonly<Record<string, { readonly enabled?: boolean }>> | undefined
  return sources?.['pin2vec']?.enabled !== false
}
