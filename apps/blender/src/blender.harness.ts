import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore, type MemoryStateStore } from '@freshet/adapters/memory/state-store'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { createSystemEngineClock } from '@freshet/adapters/system/engine-clock'
import { createVirtualClock, type VirtualClock } from '@freshet/adapters/memory/clock'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { bytesOf, uint32Column } from '@freshet/contracts/bytes/columns'
import { GetFeedRequest, GetRelatedPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import {
  SourceStatus,
  type RetrieveRequest,
  type RetrieveResponse,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { noHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Action, Engagement, Subject } from '@freshet/domain/engagement'
import { asId, type PinId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { partitionOf } from '@freshet/domain/partition'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import type { EngineClock } from '@freshet/pipeline/clock'
import type { RunRecord } from '@freshet/pipeline/record'
import { createBlender } from './blender.ts'
import { blenderSchema, type BlenderConfig } from './config.ts'

export const partitions = 4
export const startMs = 1_760_000_000_000
/** Signs the page tokens of all blenders of the tests. */
export const cursorKey = 'the key of tests'
/** Most tests need no catalogue, and the ranker of the test orders every surface. */
const usual = { showUnlistedPins: true, relatedCandidates: 500, relatedOrder: 'model', cursorKey } as const

/** How a fake service answers: with a value, with an error, or never. */
export type Behaviour<Request, Response> = (request: Request, call: CallOptions) => Promise<Response> | Response

/** A blender with fakes: memory adapters, a virtual clock, and services whose answers a test sets. */
export async function aBlender(
  given: {
    readonly config?: Partial<BlenderConfig>
    readonly pins?: readonly string[]
    /** Each reading of the engine's clock takes this long. Default 0. */
    readonly lookMs?: number
    /** Another blender, whose state store and clock this one shares. Default: its own. */
    readonly beside?: { readonly store: MemoryStateStore; readonly clock: VirtualClock }
  } = {},
) {
  const clock = given.beside?.clock ?? createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(partitions))
  const memoryStore = given.beside?.store ?? createMemoryStateStore({ clock })
  const faults: { store: ((operation: string) => Promise<void>) | null } = { store: null }
  const store = faulty(memoryStore, (operation) => faults.store?.(operation) ?? Promise.resolve())
  const services = {
    pins: given.pins ?? manyPins(300),
    retrieve: ((request) => foundPins(services.pins, request)) as Behaviour<RetrieveRequest, RetrieveResponse>,
    rank: ((request) => rankedPins(request)) as Behaviour<RankRequest, RankResponse>,
    retrieved: [] as RetrieveRequest[],
    ranked: [] as RankRequest[],
  }
  const records: RunRecord[] = []
  const events: { readonly what: string; readonly error: unknown }[] = []
  const blender = createBlender({
    store,
    log,
    clock,
    candidates: {
      retrieve: async (request, call) => {
        services.retrieved.push(request)
        return services.retrieve(request, call)
      },
    },
    ranker: {
      rank: async (request, call) => {
        services.ranked.push(request)
        return services.rank(request, call)
      },
    },
    engineClock: slowClock(engineClockOf(clock), given.lookMs ?? 0),
    random: createSeededRandom(1),
    config: blenderSchema.parse({ ...usual, ...given.config }),
    observer: {
      ran: (record) => records.push(record),
      answered: () => {},
      feedLost: (feeds, why, error) => events.push({ what: `feed-lost ${why} ${feeds}`, error }),
      failed: (what, error) => events.push({ what, error }),
    },
  })

  /** Lets virtual time pass until a call ends, at most `maxMs`. */
  async function settle<T>(call: Promise<T>, maxMs = 70_000): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    call.then(end, end)
    const untilMs = clock.now() + maxMs
    while (!done) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (clock.now() > untilMs) throw new Error(`the call did not end within ${maxMs} ms`)
      if (!done && clock.nextWake() !== null) await clock.advance(1)
    }
    return call
  }

  const patience = { timeoutMs: 500 }
  return {
    blender,
    clock,
    log,
    store: memoryStore,
    faults,
    services,
    records,
    events,
    settle,
    feed: (request: Partial<GetFeedRequest> = {}, call: CallOptions = patience) =>
      settle(blender.getFeed(aFeedRequest(request), call)),
    related: (request: Partial<GetRelatedPinsRequest> = {}, call: CallOptions = patience) =>
      settle(blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({ pinId: 'pin-0', ...request }), call)),
    /** Stores a user's state at position `next`, as the feature updater would. */
    async storeUser(userId: string, engagements: readonly Engagement[], next = 1) {
      const partition = partitionOf(userId, partitions)
      const from = (await memoryStore.positions('user.1', [partition]))[0] ?? 0
      // As many together as the updater folds.
      let state: UserState = newUserState
      for (let i = 0; i < engagements.length; i += 2_000) state = foldUser(state, engagements.slice(i, i + 2_000))
      const put = { key: userId, value: encodeUserState(state), ttlMs: null }
      const batch = { scope: 'user.1', partition, from, next, appends: [], deletes: [], meta: null, remember: [] }
      return memoryStore.commit({ ...batch, puts: engagements.length === 0 ? [] : [put] })
    },
    /** Makes the blender fold catalogue changes. */
    async tellCatalogue(changes: Parameters<typeof encodePinChange>[0][]) {
      const records = changes.map((change) => ({
        key: change.kind === 'upsert' ? change.pin.pinId : change.pinId,
        value: encodePinChange(change),
        partition: null,
      }))
      const positions = await log.append('pins.v1', records)
      for (const [at, { partition, position }] of positions.entries())
        blender.fold({
          topic: 'pins.v1',
          partition,
          from: position,
          next: position + 1,
          end: position + 1,
          records: [
            {
              position,
              key: records[at]!.key,
              value: records[at]!.value,
              appendedAtMs: clock.now(),
              headers: noHeaders,
            },
          ],
        })
      return positions
    },
    /** The records of `feeds-served.v1`. */
    async servedFeeds(): Promise<FeedServed[]> {
      await blender.flush()
      const feeds: FeedServed[] = []
      const reader = await log.readAll({
        topics: ['feeds-served.v1'],
        maxBatchRecords: 1_000,
        startAt: () => null,
        onBatch: async ({ records: batch }) => {
          for (const { value } of batch) feeds.push(FeedServed.decode(value!))
        },
        onError: () => {},
      })
      await log.drain()
      await reader.stop()
      return feeds
    },
  }
}

/** A blender of real time on a given store. Its services answer at once. */
export async function aBlenderOn(
  store: StateStore,
  given: { readonly config: Partial<BlenderConfig>; readonly pins?: readonly string[] },
) {
  const log = createMemoryEventLog()
  await log.applyTopics(topicLayouts(partitions))
  const pins = given.pins ?? manyPins(300)
  return createBlender({
    store,
    log,
    clock: createSystemClock(),
    candidates: { retrieve: async (request) => foundPins(pins, request) },
    ranker: { rank: async (request) => rankedPins(request) },
    engineClock: createSystemEngineClock(),
    random: createSeededRandom(1),
    config: blenderSchema.parse({ ...usual, ...given.config }),
    observer: { ran: () => {}, answered: () => {}, feedLost: () => {}, failed: () => {} },
  })
}

export function aFeedRequest(request: Partial<GetFeedRequest>): GetFeedRequest {
  return GetFeedRequest.fromPartial({ userId: 'ada', ...request })
}

export function manyPins(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `pin-${i}`)
}

export function anEngagement(action: Action, subject: string | Subject, atMs = startMs - 60_000): Engagement {
  return {
    eventId: asId(`event-${action}-${atMs}`),
    userId: asId('ada'),
    sessionId: null,
    action,
    subject: typeof subject === 'string' ? { kind: 'pin', pinId: asId<PinId>(subject) } : subject,
    boardId: null,
    occurredAtMs: atMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
}

export function aPin(
  pinId: string,
  fields: {
    readonly creatorId?: string
    readonly topics?: readonly string[]
    readonly locale?: string
    readonly createdAtMs?: number
  } = {},
) {
  return {
    kind: 'upsert' as const,
    pin: aCataloguePin(pinId, {
      topics: (fields.topics ?? []).map((topic) => asId<never>(topic)),
      creatorId: fields.creatorId === undefined ? null : asId<never>(fields.creatorId),
      locale: fields.locale ?? null,
      ...(fields.createdAtMs !== undefined && { createdAtMs: fields.createdAtMs }),
    }),
  }
}

/** A candidate service's answer with these pins in their order. Two sources take turns. Served pins come last, as repeats. */
export function foundPins(pins: readonly string[], request: RetrieveRequest): RetrieveResponse {
  const excluded = new Set(request.excludePinIds)
  const among = new Set(request.amongPinIds)
  const served = new Map<number, number>()
  const times = uint32Column(request.shown?.servedAtSeconds ?? new Uint8Array())
  uint32Column(request.shown?.served ?? new Uint8Array()).forEach((low, at) => served.set(low, times[at]!))
  const servedAt = (pinId: string) => served.get(pinKeysOf([pinId]).low[0]!) ?? 0
  const eligible = pins.filter((pinId) => !excluded.has(pinId) && (among.size === 0 || among.has(pinId)))
  const fresh = eligible.filter((pinId) => servedAt(pinId) === 0)
  const again = eligible.filter((pinId) => servedAt(pinId) > 0).sort((a, b) => servedAt(a) - servedAt(b))
  const found = fresh.slice(0, request.limit)
  const pinIds = [...found, ...again.slice(0, Math.max(0, request.fillTo - found.length))]
  const half = (rest: number) => pinIds.map((_, i) => i).filter((i) => i % 2 === rest)
  return {
    pinIds,
    scores: bytesOf(Float32Array.from(pinIds, (_, i) => 1 / (1 + i))),
    sources: ['even', 'odd'].map((source, rest) => ({
      source,
      candidateIndices: bytesOf(Uint16Array.from(half(rest))),
      scores: bytesOf(Float32Array.from(half(rest), (i) => 1 / (1 + i))),
      status: SourceStatus.ANSWERED,
      seeds: new Uint8Array(),
    })),
    fresh: true,
    sweptTo: 0,
    exhausted: request.fillTo > 0 && found.length === fresh.length,
    shownBefore: pinIds.length - found.length,
    catchingUp: false,
    embeddings: [{ modelId: 'pin2vec', version: 'v1' }],
    boards: new Uint8Array(),
  }
}

/** A ranker that reverses the order: `pin-7` has utility 7. Features: the number, and one half. Each odd pin has two topics. */
export function rankedPins({ pinIds, withFeatures }: RankRequest): RankResponse {
  const worth = Float32Array.from(pinIds, (pinId) => Number(pinId.replace(/\D+/g, '') || 0))
  return {
    utilities: bytesOf(worth),
    actions: ['click', 'save'],
    probabilities: bytesOf(Float32Array.from([...worth, ...worth], (w, i) => (i < worth.length ? w / 1000 : 0.25))),
    featureNames: withFeatures ? ['number', 'half'] : [],
    features: withFeatures ? bytesOf(Float32Array.from(pinIds.flatMap((_, i) => [worth[i]!, 0.5]))) : new Uint8Array(),
    modelVersion: 'fake-1',
    planVersion: 'fake-plan',
    utilityDeviations: new Uint8Array(),
    fresh: true,
    ...(withFeatures ? recordedOf(pinIds, worth) : { facts: [], exposedNames: [], exposed: new Uint8Array() }),
    amountNames: ['dwell'],
    amounts: bytesOf(worth.map((w) => 10 * w)),
    headFactors: undefined,
  }
}

/** Facts and exposed values of pins. */
function recordedOf(pinIds: readonly string[], worth: Float32Array) {
  const counts = Uint16Array.from(worth, (w) => 2 * (w % 2))
  const texts = pinIds.flatMap((pinId, at) => (counts[at] === 0 ? [] : [`${pinId}/a`, `${pinId}/b`]))
  return {
    facts: [{ name: 'pin.topics', texts, counts: bytesOf(counts) }],
    exposedNames: ['lift', 'doubt'],
    exposed: bytesOf(Float32Array.from([...worth].flatMap((w) => [w / 2, NaN]))),
  }
}

export function engineClockOf(clock: VirtualClock): EngineClock {
  return {
    nowMs: () => clock.now(),
    after(ms, callback) {
      const stop = new AbortController()
      clock.sleep(ms, stop.signal).then(callback, () => {})
      return () => stop.abort()
    },
  }
}

function slowClock(clock: EngineClock, lookMs: number): EngineClock {
  let lostMs = 0
  return { ...clock, nowMs: () => clock.nowMs() + (lostMs += lookMs) }
}

/** A store whose reads and short-lived writes go through `gate` first. */
function faulty(store: StateStore, gate: (operation: string) => Promise<void>): StateStore {
  return {
    ...store,
    read: async (scope, ...rest) => gate(`read ${scope}`).then(() => store.read(scope, ...rest)),
    positions: async (scope, ...rest) => gate(`positions ${scope}`).then(() => store.positions(scope, ...rest)),
    pointer: async (...rest) => gate('pointer').then(() => store.pointer(...rest)),
    append: async (scope, ...rest) => gate(`append ${scope}`).then(() => store.append(scope, ...rest)),
    appendIf: async (scope, ...rest) => gate(`append ${scope}`).then(() => store.appendIf(scope, ...rest)),
    put: async (scope, ...rest) => gate(`put ${scope}`).then(() => store.put(scope, ...rest)),
  }
}
