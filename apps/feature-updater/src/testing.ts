import { createVirtualClock, type VirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog, type MemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinState } from '@freshet/contracts/codecs/pin-state'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import type { Engagement } from '@freshet/domain/engagement'
import { asId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import type { PinState } from '@freshet/domain/pin-state'
import type { UserState } from '@freshet/domain/user-state'
import { updaterConfigOf, type UpdaterConfig } from './config.ts'
import { createUpdater, type Updater } from './updater.ts'

/** Noon of a day in 2023, where tests begin. */
export const noonMs = 1_700_049_600_000

/** An engagement of user `u` with pin `p` at noon; give the fields that matter. */
export function anEngagement(given: Partial<Engagement> = {}): Engagement {
  return {
    eventId: asId<EventId>(`e${eventNumber++}`),
    userId: asId<UserId>('u'),
    sessionId: null,
    action: 'click',
    subject: { kind: 'pin', pinId: asId<PinId>('p') },
    boardId: null,
    occurredAtMs: noonMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
    ...given,
  }
}

let eventNumber = 0

/** A record of `engagements.v1`. */
export function aRecord(given: Partial<Engagement> = {}, receivedAtMs = 0): NewRecord {
  const engagement = anEngagement(given)
  return { key: engagement.userId, value: encodeEngagement(engagement, receivedAtMs), partition: null }
}

/** An updater over a log and a store in memory. */
export interface UpdaterWorld {
  readonly updater: Updater
  readonly log: MemoryEventLog
  readonly store: StateStore
  readonly clock: VirtualClock
  readonly partitions: number
  readonly errors: Error[]
  /** Appends to `engagements.v1` and waits until both stages have folded it. */
  send(...records: readonly NewRecord[]): Promise<void>
  user(userId: string, generation?: string): Promise<UserState | null>
  pin(key: string, generation?: string): Promise<PinState | null>
  records(topic: TopicName): Promise<readonly LogRecord[]>
  stop(): Promise<void>
}

/** Starts one; its canary is off unless the config says otherwise. */
export async function anUpdaterWorld(
  given: {
    readonly fold?: Partial<UpdaterConfig['fold']>
    readonly updater?: Partial<UpdaterConfig['updater']>
    readonly start?: boolean
    /** Bytes of one commit that the store takes at most. */
    readonly maxCommitBytes?: number
  } = {},
): Promise<UpdaterWorld> {
  const partitions = 4
  const clock = createVirtualClock(noonMs)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({
    clock,
    ...(given.maxCommitBytes === undefined ? {} : { limits: { maxCommitBytes: given.maxCommitBytes } }),
  })
  await log.applyTopics(topicLayouts(partitions))
  const errors: Error[] = []
  const updater = createUpdater({
    log,
    store,
    clock,
    config: updaterConfigOf({ fold: given.fold ?? {}, updater: { canaryEveryMs: 0, logCheckMs: 0, ...given.updater } }),
    onError: (error) => errors.push(error),
  })
  if (given.start !== false) await updater.start()
  const read = async (scope: string, key: string) =>
    (await store.read(scope, partitionOf(key, partitions), [key])).values[0]
  return {
    updater,
    log,
    store,
    clock,
    partitions,
    errors,
    async send(...records) {
      await log.append('engagements.v1', records)
      await log.drain()
    },
    async user(userId, generation = '1') {
      const bytes = await read(`user.${generation}`, userId)
      return bytes == null ? null : decodeUserState(bytes)
    },
    async pin(key, generation = '1') {
      const bytes = await read(`pin.${generation}`, key)
      return bytes == null ? null : decodePinState(bytes)
    },
    async records(topic) {
      const found: LogRecord[] = []
      const reader = await log.readAll({
        topics: [topic],
        maxBatchRecords: 1000,
        startAt: () => null,
        onError: (error) => errors.push(error),
        onBatch: (batch) => {
          found.push(...batch.records)
          return Promise.resolve()
        },
      })
      await log.drain()
      await reader.stop()
      return found
    },
    async stop() {
      await updater.stop()
      await log.close()
    },
  }
}
