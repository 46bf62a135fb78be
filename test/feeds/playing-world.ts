import { createSeededRandom } from '@freshet/adapters/memory/random'
import { blenderSchema } from '@freshet/blender/config'
import { orderingSchema } from '@freshet/blender/ordering/config'
import { ContractError } from '@freshet/contracts/errors'
import { uint16Column } from '@freshet/contracts/bytes/columns'
import type { RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { PinChange } from '@freshet/domain/pin'
import { createVirtualProduct, type VirtualProduct } from '@freshet/freshet/virtual/product'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import type { Asked, Candidates, Promised } from './case.ts'
import { createDraws, worldStartMs, type Draws } from './random-world.ts'
import type { TruePin, TrueUser } from './truth.ts'

const users = 40
const pinsAtStart = 300
/** Which dependency fails in a request, and how often. */
export const failures = { ranker: 0.01, candidates: 0.01, store: 0.01 } as const
/** What can fail. */
export type Failure = keyof typeof failures
const { servedWindowMs, maxReservePins, ordering } = blenderSchema.parse({})
/** So many that the caps of next pages nearly always have something to choose from. */
const pagesRankedAgain = 20
const shares = [
  { sources: ['popularity', 'trending'], min: 0.2, max: 1 },
  { sources: ['catalogue-sweep'], min: 0, max: 0.4 },
]
const promised: Omit<Promised, 'shares'> = {
  servedWindowMs,
  caps: {
    mostOfCreator: ordering.caps.creator.most,
    mostOfTopic: ordering.caps.topic.most,
    mostOfTopicAtStart: ordering.caps.topic.mostAtStart,
    window: ordering.caps.creator.window,
    pool: Math.min(ordering.pool, maxReservePins),
    pagesRankedAgain,
  },
}

/** A user's page session as the client holds it. */
interface Session {
  readonly asked: Asked
  readonly token: string
  readonly before: readonly string[]
  readonly above: readonly string[] | null
  readonly startedAtMs: number
  /** What the ordering chose from when the product last searched in this session. */
  readonly candidates: Candidates | null
}

/** The world with the product in it, and what was played so far. */
export interface World {
  readonly promised: Promised
  readonly draws: Draws
  readonly product: VirtualProduct
  readonly pins: Map<string, TruePin>
  readonly deleted: Set<string>
  readonly users: Map<string, TrueUser>
  /** What fails in the next request. */
  readonly failing: Set<Failure>
  /** What the candidate service found for the last request, with the source that ranked it best; empty: it was not asked. */
  readonly retrieved: Map<string, string>
  readonly sessions: Map<string, Session>
  readonly played: {
    items: number
    acts: number
    full: number
    short: number
    empty: number
    degraded: number
    seenAgain: number
  }
  pinNumber: number
  eventNumber: number
}

/** A world at its start, with a product that is not asked yet. */
export async function createWorld(seed: number, mixes: boolean): Promise<World> {
  const draws = createDraws(createSeededRandom(seed))
  const failing = new Set<Failure>()
  const retrieved = new Map<string, string>()
  const failed = (what: Failure): void => {
    if (failing.has(what)) throw new ContractError('CALL_UNAVAILABLE', `the test lets the ${what} fail`)
  }
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const product = await createVirtualProduct({
    models,
    config: {
      blender: {
        showUnlistedPins: false,
        pagesRankedAgain,
        ...(mixes && { ordering: orderingSchema.parse({ mixing: { groups: shares } }) }),
      },
      candidates: { retrieval: { showUnlistedPins: false } },
    },
    partitions: 2,
    refresh: 'event',
    ranked: true,
    seed,
    wrapRanker: (ranker) => ({
      ...ranker,
      rank: async (request, options) => {
        failed('ranker')
        return ranker.rank(request, options)
      },
    }),
    wrapCandidates: (candidates) => ({
      ...candidates,
      retrieve: async (request, options) => {
        failed('candidates')
        const response = await candidates.retrieve(request, options)
        for (const [pinId, source] of bestSources(response)) retrieved.set(pinId, source)
        return response
      },
    }),
    wrapStore: (store) => ({
      ...store,
      read: async (...args) => {
        failed('store')
        return store.read(...args)
      },
    }),
  })
  product.moveTo(worldStartMs)
  const world: World = {
    promised: { ...promised, shares: mixes ? shares : [] },
    draws,
    product,
    pins: new Map(),
    deleted: new Set(),
    users: new Map(Array.from({ length: users }, (_, n) => draws.user(n)).map((user) => [user.userId, user])),
    failing,
    retrieved,
    sessions: new Map(),
    played: { items: 0, acts: 0, full: 0, short: 0, empty: 0, degraded: 0, seenAgain: 0 },
    pinNumber: 0,
    eventNumber: 0,
  }
  for (let n = 0; n < pinsAtStart; n++) await publish(world, draws.pin(world.pinNumber++, product.nowMs()))
  await product.settle()
  return world
}

/** Each pin of an answer of the candidate service, with the source that ranked it best; '': no source is known. */
function bestSources({ pinIds, sources }: RetrieveResponse): ReadonlyMap<string, string> {
  const best = new Map(pinIds.map((pinId) => [pinId, { source: '', rank: Infinity }]))
  for (const { source, candidateIndices } of sources) {
    uint16Column(candidateIndices).forEach((row, rank) => {
      const pinId = pinIds[row]!
      if (rank < best.get(pinId)!.rank) best.set(pinId, { source, rank })
    })
  }
  return new Map(Array.from(best, ([pinId, { source }]) => [pinId, source]))
}

/** Time passes, and the catalogue changes. */
export async function live(world: World): Promise<void> {
  const { draws, product, pins, deleted } = world
  product.moveTo(product.nowMs() + 1000 * (1 + draws.below(draws.chance(0.1) ? 40_000 : 600)))
  if (draws.chance(0.3)) await publish(world, draws.pin(world.pinNumber++, product.nowMs()))
  if (draws.chance(0.1)) {
    const { pinId } = draws.pick([...pins.values()])
    await publish(world, { ...draws.pin(0, product.nowMs()), pinId })
  }
  if (pins.size > pinsAtStart) {
    const { pinId } = draws.pick([...pins.values()])
    pins.delete(pinId)
    deleted.add(pinId)
    await product.pin({ kind: 'delete', pinId: pinId as never })
  }
  await product.settle()
}

async function publish({ product, pins, deleted }: World, pin: TruePin): Promise<void> {
  pins.set(pin.pinId, pin)
  deleted.delete(pin.pinId)
  const change: PinChange = {
    kind: 'upsert',
    pin: {
      pinId: pin.pinId as never,
      title: pin.words.slice(0, 2).join(' '),
      description: `About ${pin.words[2]}.`,
      topics: pin.topics as never,
      creatorId: pin.creatorId as never,
      createdAtMs: pin.createdAtMs,
      locale: pin.locale === '' ? null : pin.locale,
      imageUrl: null,
      visualEmbedding: null,
      availableFromMs: pin.availableFromMs,
      expiresAtMs: pin.expiresAtMs,
      safetyLabels: pin.labels,
      minAge: pin.minAge,
      imageSignature: pin.picture === '' ? null : pin.picture,
    },
  }
  await product.pin(change)
}

/** The next second at which a pin comes or goes by its own times, so that bounds are met exactly; at most an hour from now. */
export function nextChangeMs({ product, pins }: World): number {
  const nowMs = product.nowMs()
  const times = [...pins.values()].flatMap(({ availableFromMs, expiresAtMs }) => [
    availableFromMs ?? 0,
    expiresAtMs ?? 0,
  ])
  return Math.min(nowMs + 3_600_000, ...times.filter((atMs) => atMs >= nowMs))
}
