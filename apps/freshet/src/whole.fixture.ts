import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import {
  GetFeedRequest,
  GetRelatedPinsRequest,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Action, Subject } from '@freshet/domain/engagement'
import {
  asId,
  type BoardId,
  type CreatorId,
  type FeedId,
  type PinId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { createEmbedded, type Embedded, type EmbeddedConfig } from './embedded.ts'
import { memoryPlatform } from './memory-platform.ts'
import { withoutAlarms } from './without-alarms.ts'

/** When the tests begin, milliseconds since the epoch. */
const startMs = Date.UTC(2026, 0, 1)

/** An engagement, with defaults for most fields. */
export interface Act {
  readonly userId?: string
  readonly action: Action
  readonly on: string | Subject
  readonly boardId?: string
  /** Milliseconds. */
  readonly dwellMs?: number
  /** The feed that showed the pin. */
  readonly feedId?: string
}

/** All services in this process on adapters in memory, in virtual time, as they run in production. */
export interface Whole {
  readonly embedded: Embedded
  /** The training rows so far, if there is a trainer. */
  readonly rows: readonly RowBatch[]
  now(): number
  advance(ms: number): Promise<void>
  /** Adds, changes or (null) deletes pins, and waits until all services have the changes. */
  pins(changes: readonly (readonly [pinId: string, fields: Partial<Omit<Pin, 'pinId'>> | null])[]): Promise<void>
  /** Posts engagements, one second apart, and waits until all services have them. */
  act(...acts: readonly Act[]): Promise<void>
  feed(request?: Partial<GetFeedRequest>): Promise<GetFeedResponse>
  related(request: Partial<GetRelatedPinsRequest>): Promise<GetRelatedPinsResponse>
  stop(): Promise<void>
}

const patience = { timeoutMs: 60_000 }

/** Starts all services. `seen` may wrap the log to observe its calls; with `modelStore` ranking models are trained. */
export async function aWhole(
  config: EmbeddedConfig = {},
  seen = (log: EventLog): EventLog => log,
  modelStore: ArtefactStore | null = null,
): Promise<Whole> {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({ clock })
  await log.applyTopics(topicLayouts(2))
  const { models } = await openSpecSlot({ backend: 'auto', specFile: config.ranking?.specFile ?? null })
  const errors: unknown[] = []
  const rows: RowBatch[] = []
  const embedded = createEmbedded({
    // Tests advance the time by hours, so periodic work is switched off.
    platform: memoryPlatform({ log: seen(log), store, clock: withoutAlarms(clock) }),
    models,
    modelStore,
    config: {
      trainer: null,
      ...config,
      blender: {
        userStateBudgetMs: 30_000,
        retrieveBudgetMs: 30_000,
        rankBudgetMs: 30_000,
        recordBudgetMs: 30_000,
        ...config.blender,
      },
    },
    pause: () => Promise.resolve(),
    onError: (_part, error) => errors.push(error),
    onRows: (batch) => rows.push(batch),
  })
  await embedded.start()
  await log.drain()
  let events = 0

  async function settle(): Promise<void> {
    await log.drain()
    if (errors.length > 0) throw errors[0] as Error
  }

  return {
    embedded,
    rows,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async pins(changes) {
      const records = changes.map(([pinId, fields]) => ({
        key: pinId,
        value: encodePinChange(
          fields === null
            ? { kind: 'delete', pinId: asId<PinId>(pinId) }
            : { kind: 'upsert', pin: aCataloguePin(pinId, { createdAtMs: startMs, ...fields }) },
        ),
        partition: null,
      }))
      await log.append('pins.v1', records)
      await settle()
    },
    async act(...acts) {
      for (const { userId = 'ada', action, on, boardId, feedId, dwellMs = null } of acts) {
        await clock.advance(1_000)
        const engagement = {
          eventId: asId<never>(`e${events++}`),
          userId: asId<UserId>(userId),
          sessionId: null,
          action,
          subject: typeof on === 'string' ? ({ kind: 'pin', pinId: asId<PinId>(on) } as const) : on,
          boardId: boardId === undefined ? null : asId<BoardId>(boardId),
          occurredAtMs: clock.now(),
          shown: { feedId: feedId === undefined ? null : asId<FeedId>(feedId), position: null, surface: null },
          dwellMs,
        }
        const value = encodeEngagement(engagement, engagement.occurredAtMs)
        await log.append('engagements.v1', [{ key: userId, value, partition: null }])
      }
      await settle()
    },
    feed: (request = {}) =>
      embedded.blender.getFeed(GetFeedRequest.fromPartial({ userId: 'ada', ...request }), patience),
    related: (request) => embedded.blender.getRelatedPins(GetRelatedPinsRequest.fromPartial(request), patience),
    stop: () => embedded.stop(),
  }
}

/** Ids for tests. */
export const aTopic = (id: string): TopicId => asId<TopicId>(id)
export const aCreator = (id: string): CreatorId => asId<CreatorId>(id)
