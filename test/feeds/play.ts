import { createHash } from 'node:crypto'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { blenderSchema } from '@freshet/blender/config'
import { orderingSchema } from '@freshet/blender/ordering/config'
import { ContractError } from '@freshet/contracts/errors'
import {
  GetFeedRequest,
  GetRelatedPinsRequest,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { uint16Column } from '@freshet/contracts/bytes/columns'
import type { RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Action, Subject } from '@freshet/domain/engagement'
import type { PinChange } from '@freshet/domain/pin'
import { createVirtualProduct, type VirtualProduct } from '@freshet/freshet/virtual/product'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import type { Answered, Asked, Candidates, Case, Promised } from './case.ts'
import { createDraws, worldStartMs, type Draws } from './random-world.ts'
import { broken, pinRules } from './rules.ts'
import type { TruePin, TrueUser } from './truth.ts'

/** How the feeds are played. */
export interface PlayOptions {
  readonly seed: number
  readonly feeds: number
  /** Called now and then with the number of feeds so far. */
  readonly onProgress?: (feeds: number) => void
  /** Whether the settings ask for shares of groups of sources. */
  readonly mixes?: boolean
  /** Ends at the first violation. */
  readonly endsAtFirst?: boolean
}

/** What the checker found. */
export interface Played {
  readonly feeds: number
  readonly items: number
  readonly acts: number
  readonly pages: { readonly full: number; readonly short: number; readonly empty: number; readonly degraded: number }
  readonly seenAgain: number
  /** Names of the rules that were broken, with an example and how often. */
  readonly violations: ReadonlyMap<string, { readonly example: string; readonly count: number }>
  /** Hash of every answer, byte for byte. */
  readonly digest: string
}

const users = 40
const pinsAtStart = 300
/** Which dependency fails in a request, and how often. */
const failures = { ranker: 0.01, candidates: 0.01, store: 0.01 } as const
type Failure = keyof typeof failures
const patience = { timeoutMs: 60_000 }
const { servedWindowMs, pageSessionTtlMs, maxReservePins, ordering } = blenderSchema.parse({})
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

interface World {
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

/** Plays feeds of a random world and checks each answer against what is true in it. */
export async function playFeeds({
  seed,
  feeds,
  onProgress,
  mixes = false,
  endsAtFirst = false,
}: PlayOptions): Promise<Played> {
  const world = await createWorld(seed, mixes)
  const violations = new Map<string, { example: string; count: number }>()
  const digest = createHash('sha256')
  let done = 0
  while (done < feeds) {
    await live(world)
    const user = world.draws.pick([...world.users.values()])
    for (let burst = 1 + world.draws.below(6); burst > 0 && done < feeds; burst--, done++) {
      const { found, bytes } = await oneFeed(world, user)
      digest.update(bytes)
      for (const problem of found) {
        const name = problem.slice(0, problem.indexOf(':'))
        const known = violations.get(name)
        violations.set(name, { example: known?.example ?? `feed ${done}, ${problem}`, count: (known?.count ?? 0) + 1 })
      }
      if (done % 1000 === 0) onProgress?.(done)
      if (endsAtFirst && violations.size > 0) feeds = done
    }
  }
  await world.product.close()
  const { items, acts, seenAgain, ...pages } = world.played
  return { feeds: done, items, acts, pages, seenAgain, violations, digest: digest.digest('hex') }
}

async function createWorld(seed: number, mixes: boolean): Promise<World> {
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

/** Time passes, and the catalogue changes. */
async function live(world: World): Promise<void> {
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

/** One user looks at one page and acts on it. */
async function oneFeed(
  world: World,
  user: TrueUser,
): Promise<{ readonly found: readonly string[]; readonly bytes: string }> {
  const { draws, product, failing, played } = world
  product.moveTo(draws.chance(0.4) ? nextChangeMs(world) : product.nowMs() + 1000 * draws.below(120))
  for (const [what, share] of Object.entries(failures)) if (draws.chance(share)) failing.add(what as Failure)
  const session = world.sessions.get(user.userId)
  const isOpen =
    session !== undefined && session.token !== '' && product.nowMs() - session.startedAtMs < pageSessionTtlMs
  const goesOn = isOpen && draws.chance(0.4)
  const asked = goesOn
    ? { ...session.asked, before: session.before, above: session.above, atMs: product.nowMs() }
    : ask(world, user)
  const isFull = failing.size === 0
  world.retrieved.clear()
  const answer = await request(world, user, asked, goesOn ? session.token : '')
  failing.clear()
  const candidates = candidatesOf(world, user, asked, goesOn ? session.candidates : null)
  const answered: Answered = { items: answer.items, isFull, reasons: answer.reasons }
  const until = answered.isFull ? Number.POSITIVE_INFINITY : user.knownUntil
  const of: Case = {
    truth: world,
    user,
    asked,
    answered,
    promised: world.promised,
    until: answered.reasons.includes('FEED_UNKNOWN_USER') ? -1 : until,
    offered: offeredLocales(world),
    candidates,
  }
  const found = broken(of)
  count(played, asked, answered)
  if (answered.isFull) user.knownUntil = world.eventNumber
  if (asked.surface === 'home') {
    const now = answered.items.map(({ pinId }) => ({ pinId, atMs: asked.atMs }))
    user.shown = [...user.shown.filter(({ atMs }) => asked.atMs - atMs < 30 * 86_400_000), ...now]
    const token = 'nextPageToken' in answer ? answer.nextPageToken : ''
    const before = [...asked.before, ...now.map(({ pinId }) => pinId)]
    const above = isFull && asked.above !== null ? before : null
    const startedAtMs = goesOn ? session.startedAtMs : asked.atMs
    const kept = isFull ? candidates : goesOn ? session.candidates : null
    world.sessions.set(user.userId, { asked, token, before, above, startedAtMs, candidates: kept })
  }
  if (draws.chance(0.7)) await act(world, user, answered)
  await product.settle()
  return { found, bytes: JSON.stringify(answer) }
}

/** The next second at which a pin comes or goes by its own times, so that bounds are met exactly; at most an hour from now. */
function nextChangeMs({ product, pins }: World): number {
  const nowMs = product.nowMs()
  const times = [...pins.values()].flatMap(({ availableFromMs, expiresAtMs }) => [
    availableFromMs ?? 0,
    expiresAtMs ?? 0,
  ])
  return Math.min(nowMs + 3_600_000, ...times.filter((atMs) => atMs >= nowMs))
}

function count(played: World['played'], asked: Asked, { items, isFull }: Answered): void {
  played.items += items.length
  played.seenAgain += items.filter(({ seenAgain }) => seenAgain).length
  if (!isFull) played.degraded++
  played[items.length === 0 ? 'empty' : items.length < asked.pageSize ? 'short' : 'full']++
}

function ask({ draws, product, pins }: World, user: TrueUser): Asked {
  const related = draws.chance(0.1)
  const all = [...pins.keys()]
  return {
    surface: related ? 'related' : 'home',
    about: related ? draws.pick(all) : '',
    pageSize: draws.pick([5, 10, 25]),
    atMs: product.nowMs(),
    locale: user.locale,
    topics: draws.chance(0.05) ? [`topic${draws.below(15)}`, `topic${draws.below(15)}`] : [],
    creators: draws.chance(0.03) ? [`creator${draws.below(40)}`, `creator${draws.below(40)}`] : [],
    boardsOf: draws.chance(0.04) ? [`user-${draws.below(40)}`, `user-${draws.below(40)}`] : [],
    maxAgeMs: draws.chance(0.05) ? 1000 * (1 + draws.below(1_000_000)) : null,
    exclude: draws.chance(0.2) ? draws.some(all, 20) : [],
    seenElsewhere: draws.chance(0.1) ? draws.some(all, 20) : [],
    labels: user.labels,
    age: user.age,
    includesOwn: user.includesOwn,
    before: [],
    above: [],
  }
}

function request(
  { product }: World,
  { userId }: TrueUser,
  asked: Asked,
  pageToken: string,
): Promise<GetFeedResponse | GetRelatedPinsResponse> {
  const filter = {
    topicIds: [...asked.topics],
    creatorIds: [...asked.creators],
    boardIds: asked.boardsOf.map((userId) => `board-${userId}`),
    ...(asked.maxAgeMs !== null && { maxAgeMs: asked.maxAgeMs }),
    excludePinIds: [...asked.exclude],
    seenPinIds: [...asked.seenElsewhere],
    allowedSafetyLabels: [...asked.labels],
    ...(asked.age !== null && { userAge: asked.age }),
    includeOwnPins: asked.includesOwn,
  }
  const { pageSize, locale, atMs } = asked
  const common = { userId, pageSize, locale, atMs, filter }
  const { blender } = product.embedded
  return asked.surface === 'home'
    ? blender.getFeed(GetFeedRequest.fromPartial({ ...common, pageToken }), patience)
    : blender.getRelatedPins(GetRelatedPinsRequest.fromPartial({ ...common, pinId: asked.about }), patience)
}

/** What the ordering could choose from: what the candidate service found now or, if it was not asked, earlier in the session. */
function candidatesOf(world: World, user: TrueUser, asked: Asked, earlier: Candidates | null): Candidates | null {
  const { retrieved, pins } = world
  const eligible = eligiblePins(world, user, asked)
  if (retrieved.size > 0) {
    const sourceOf = new Map(retrieved)
    return { pins: eligible.filter(({ pinId }) => sourceOf.has(pinId)), count: sourceOf.size, sourceOf }
  }
  if (earlier === null) return null
  // A pin that changed meanwhile may have been unfit when the product kept it.
  const same = new Set(earlier.pins.filter((pin) => pins.get(pin.pinId) === pin))
  return { ...earlier, pins: eligible.filter((pin) => same.has(pin)) }
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

/** Pins that the user may certainly see as new: never shown, never acted on, and without a picture that could be there twice. */
function eligiblePins(world: World, user: TrueUser, asked: Asked): readonly TruePin[] {
  const of: Case = {
    truth: world,
    user,
    asked,
    answered: { items: [], isFull: true, reasons: [] },
    promised: world.promised,
    until: Number.POSITIVE_INFINITY,
    offered: offeredLocales(world),
    candidates: null,
  }
  const rules = Object.values(pinRules)
  const shown = new Set(user.shown.map(({ pinId }) => pinId))
  return [...world.pins.values()].filter((pin) => {
    if (pin.picture !== '' || user.seen.has(pin.pinId) || shown.has(pin.pinId)) return false
    const item = { pinId: pin.pinId, seenAgain: false }
    return !rules.some((rule) => rule(pin, item, of))
  })
}

/** Locales of the pins that are in the catalogue now: a reader's region counts only while a pin is in it. */
function offeredLocales({ pins }: World): readonly string[] {
  return [...new Set(Array.from(pins.values(), ({ locale }) => locale))].filter((locale) => locale !== '')
}

/** What a user does after a page: looks at most pins, likes some, wants never to see others, takes things back. */
async function act(world: World, user: TrueUser, { items }: Answered): Promise<void> {
  const { draws, pins } = world
  for (const { pinId } of items) {
    if (draws.chance(0.6)) await say(world, user, 'impression', { kind: 'pin', pinId: pinId as never })
    const draw = draws.below(100)
    const pin = { kind: 'pin', pinId: pinId as never } as const
    if (draw < 6) await say(world, user, 'click', pin)
    else if (draw < 10) await say(world, user, 'save', pin)
    else if (draw < 13) await say(world, user, 'hide', pin)
    else if (draw < 14) await say(world, user, 'report', pin)
    const creatorId = pins.get(pinId)?.creatorId ?? 'creator0'
    if (draws.chance(0.003)) await say(world, user, 'block', { kind: 'creator', creatorId: creatorId as never })
  }
  if (draws.chance(0.02))
    await say(world, user, 'block', { kind: 'topic', topicId: `topic${draws.below(15)}` as never })
  if (draws.chance(0.03)) await say(world, user, 'block', { kind: 'word', word: `word${draws.below(40)}` })
  if (draws.chance(0.5)) await takeBack(world, user)
}

const back = { hide: 'unhide', report: 'unreport', save: 'unsave', block: 'unblock' } as const

async function takeBack(world: World, user: TrueUser): Promise<void> {
  const standing = [...user.wishes].filter(([, wish]) => wish.stands).map(([name]) => name)
  if (standing.length === 0) return
  const [what = '', id = ''] = world.draws.pick(standing).split(' ')
  if (what === 'block-creator') await say(world, user, back.block, { kind: 'creator', creatorId: id as never })
  else if (what === 'block-topic') await say(world, user, back.block, { kind: 'topic', topicId: id as never })
  else if (what === 'block-word') await say(world, user, back.block, { kind: 'word', word: id })
  else await say(world, user, back[what as 'hide'], { kind: 'pin', pinId: id as never })
}

/** The user does something: the product gets the event, and the world remembers it. */
async function say(world: World, user: TrueUser, action: Action, subject: Subject): Promise<void> {
  const { product, played } = world
  const number = ++world.eventNumber
  played.acts++
  const occurredAtMs = product.nowMs() + 1000
  await product.engagement({
    eventId: `event-${number}` as never,
    userId: user.userId as never,
    sessionId: null,
    action,
    subject,
    boardId: action === 'save' || action === 'unsave' ? (`board-${user.userId}` as never) : null,
    occurredAtMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  })
  if (action !== 'impression') user.acts++
  if (subject.kind === 'pin') user.seen.set(subject.pinId, { atMs: occurredAtMs, since: number })
  const wish = wishOf(action, subject)
  if (wish !== null) user.wishes.set(wish.name, { stands: wish.stands, since: number, own: user.acts })
}

function wishOf(action: Action, subject: Subject): { readonly name: string; readonly stands: boolean } | null {
  for (const [does, undoes] of Object.entries(back)) {
    if (action !== does && action !== undoes) continue
    const stands = action === does
    if (subject.kind === 'pin') return { name: `${does} ${subject.pinId}`, stands }
    if (subject.kind === 'creator') return { name: `block-creator ${subject.creatorId}`, stands }
    if (subject.kind === 'topic') return { name: `block-topic ${subject.topicId}`, stands }
    if (subject.kind === 'word') return { name: `block-word ${subject.word}`, stands }
  }
  return null
}
