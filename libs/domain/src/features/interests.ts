import { decay } from '../decay.ts'
import { actions, type Action } from '../engagement.ts'
import { hash32 } from '../hash.ts'
import type { Pin } from '../pin.ts'
import type { UserState } from '../user-state.ts'
import { boardWeight } from './board-affinity.ts'
import { hours, scalarOver, type Feature, type Met } from './feature.ts'
import { hasRelation, relationIds } from './relations.ts'
import { standingOf } from './standing-actions.ts'
import { topicListsOf } from './topic-lists.ts'

/** Half-life of an action's weight in interests, milliseconds: 14 days. */
export const interestHalfLifeMs = 1_209_600_000

/** An action's weight for the pin's topics and creator; other actions weigh nothing. */
export const interestWeights: Readonly<Partial<Record<Action, number>>> = {
  closeup: 1,
  click: 2,
  save: 3,
  unsave: -1,
  dismiss: -1,
  hide: -3,
  report: -3,
}

/** The weight of a follow, in addition to the actions; it does not decay. */
const followWeight = 3

/** An interest: its decayed weight, and the time of the last positive action that raised it (0: none). */
export interface Interest {
  readonly weight: number
  readonly lastAtMs: number
}

/**
 * A user's affinities to topics and creators, derived when reading from the recent actions (at most 200, so bounded) and
 * the current catalogue. They are not folded: the catalogue is another log, so a fold that read it would not
 * be a function of its own log, and a rebuild would produce different bytes.
 */
export interface Interests {
  readonly topics: ReadonlyMap<string, Interest>
  readonly creators: ReadonlyMap<string, Interest>
  readonly followedTopics: ReadonlySet<string>
  readonly followedCreators: ReadonlySet<string>
  /** The user's boards with a weight above 0; `hash`: `hash32` of the id. */
  readonly boards: readonly { readonly id: string; readonly hash: number; readonly weight: number }[]
}

/** The weight of a user's action on a pin for the pin's topics and creator; 0: none, or the action was undone. */
function actionWeight(user: Pick<UserState, 'recent' | 'relations'>, row: number): number {
  const { recent, relations } = user
  const action = actions[recent.actions[row] ?? 0]
  const said = (action === undefined ? undefined : interestWeights[action]) ?? 0
  if (said === 0 || standingOf(recent)[row] !== 1) return 0
  const pinId = recent.pinIds[row] ?? ''
  // The hide may be older than all recent actions.
  const isRefused =
    said > 0 && (hasRelation(relations, 'hide-pin', pinId) || hasRelation(relations, 'report-pin', pinId))
  return isRefused ? 0 : said
}

/**
 * Derives the affinities as of `atMs`. The pin's topics share an action's weight. An undone action has no weight;
 * the action that undid it counts against the pin's topics and creator. Pins missing from the catalogue have no weight.
 */
export function readInterests(user: UserState, pinOf: (pinId: string) => Pin | undefined, atMs: number): Interests {
  const topics = new Map<string, Interest>()
  const creators = new Map<string, Interest>()
  const { recent } = user
  for (let row = 0; row < recent.pinIds.length; row++) {
    const said = actionWeight(user, row)
    const pin = said === 0 ? undefined : pinOf(recent.pinIds[row] ?? '')
    if (pin === undefined) continue
    const actedAtMs = recent.atMs[row] ?? 0
    const weight = said * decay(atMs - actedAtMs, interestHalfLifeMs)
    const likedAtMs = said > 0 ? actedAtMs : 0
    for (const topic of pin.topics) add(topics, topic, weight / pin.topics.length, likedAtMs)
    if (pin.creatorId !== null) add(creators, pin.creatorId, weight, likedAtMs)
  }
  const followedTopics = new Set(relationIds(user.relations, 'follow-topic'))
  const followedCreators = new Set(relationIds(user.relations, 'follow-creator'))
  for (const topic of followedTopics) add(topics, topic, followWeight, 0)
  for (const creator of followedCreators) add(creators, creator, followWeight, 0)
  const boards = user.boards.boardIds
    .map((id) => ({ id, hash: hash32(id), weight: boardWeight(user.boards, id, atMs) }))
    .filter(({ weight }) => weight > 0)
  return { topics, creators, followedTopics, followedCreators, boards }
}

function add(interests: Map<string, Interest>, id: string, weight: number, atMs: number): void {
  const before = interests.get(id)
  interests.set(id, {
    weight: (before?.weight ?? 0) + weight,
    lastAtMs: Math.max(before?.lastAtMs ?? 0, atMs),
  })
}

/** What these features read of a page. */
interface InterestPage {
  readonly interests: Interests | null
  readonly pins: readonly ({ isOn(boardId: string, hash: number): boolean } | null)[]
  readonly pinMetas: readonly (Pick<Pin, 'topics' | 'creatorId'> | null)[]
  readonly atMs: number
}

// Places in a candidate's numbers.
const topicWeightAt = 0
const topicRecencyAt = 1
const followsTopicAt = 2
const topicNumbers = 3
const creatorWeightAt = topicNumbers
const creatorRecencyAt = 4
const followsCreatorAt = 5
const numbers = 6

// Several features read the same topics, so a page looks each of them up once.
const numbersOf = new WeakMap<object, Float64Array>()

/** A row of `numbers` for each candidate. */
function readNumbers(page: Met<InterestPage, 'interests'>): Float64Array {
  const known = numbersOf.get(page)
  if (known !== undefined) return known
  const { interests, pinMetas, atMs } = page
  const all = new Float64Array(pinMetas.length * numbers)
  const { lists, of } = topicListsOf(pinMetas)
  const ofLists = new Float64Array(lists.length * topicNumbers)
  for (let list = 0; list < lists.length; list++)
    writeTopics(ofLists, list * topicNumbers, { interests, topics: lists[list]!, atMs })
  for (let row = 0; row < pinMetas.length; row++) {
    const pin = pinMetas[row]!
    const at = row * numbers
    if (pin === null) {
      all.fill(NaN, at, at + numbers)
      continue
    }
    const from = of[row]! * topicNumbers
    for (let number = 0; number < topicNumbers; number++) all[at + number] = ofLists[from + number]!
    if (pin.creatorId !== null) writeCreator(all, at, { interests, creatorId: pin.creatorId, atMs })
  }
  numbersOf.set(page, all)
  return all
}

interface OfTopics {
  readonly interests: Interests
  readonly topics: readonly string[]
  readonly atMs: number
}

function writeTopics(out: Float64Array, at: number, { interests, topics, atMs }: OfTopics): void {
  let [sum, most, follows] = [0, 0, 0]
  for (let place = 0; place < topics.length; place++) {
    const topic = topics[place]!
    const interest = interests.topics.get(topic)
    if (interest === undefined) continue
    sum += interest.weight
    most = Math.max(most, recency(interest, atMs))
    // A followed topic is an interest too.
    if (interests.followedTopics.has(topic)) follows = 1
  }
  out[at + topicWeightAt] = sum / Math.max(1, topics.length)
  out[at + topicRecencyAt] = most
  out[at + followsTopicAt] = follows
}

interface OfCreator {
  readonly interests: Interests
  readonly creatorId: string
  readonly atMs: number
}

function writeCreator(out: Float64Array, at: number, { interests, creatorId, atMs }: OfCreator): void {
  const interest = interests.creators.get(creatorId)
  if (interest === undefined) return
  out[at + creatorWeightAt] = interest.weight
  out[at + creatorRecencyAt] = recency(interest, atMs)
  if (interests.followedCreators.has(creatorId)) out[at + followsCreatorAt] = 1
}

/** Recency is `1 / (1 + hours)`: 1 just now, 0 never. */
function recency({ lastAtMs }: Interest, atMs: number): number {
  return lastAtMs === 0 ? 0 : 1 / (1 + hours(atMs - lastAtMs))
}

const scalar = scalarOver<InterestPage>()

function ofNumber(name: string, at: number, unit: string): Feature<InterestPage> {
  return scalar({
    name,
    unit,
    missing: 0,
    needs: ['interests', 'pinMeta'],
    column: (page, out) => {
      const all = readNumbers(page)
      for (let row = 0; row < out.length; row++) out[row] = all[row * numbers + at]!
    },
  })
}

const boardFeature = scalar({
  name: 'board_affinity',
  unit: 'decayed saves',
  missing: 0,
  needs: ['interests', 'pin'],
  column: ({ interests: { boards }, pins }, out) => {
    for (let row = 0; row < pins.length; row++) {
      const pin = pins[row]!
      let most = 0
      if (pin !== null && boards.length > 0)
        for (const { id, hash, weight } of boards) if (weight > most && pin.isOn(id, hash)) most = weight
      out[row] = most
    }
  },
})

/** Features that measure how well a pin fits a user. */
export const interestFeatures: readonly Feature<InterestPage>[] = [
  ofNumber('topic_affinity', topicWeightAt, 'weighted actions'),
  ofNumber('creator_affinity', creatorWeightAt, 'weighted actions'),
  boardFeature,
  ofNumber('topic_recency', topicRecencyAt, '1 / (1 + hours)'),
  ofNumber('creator_recency', creatorRecencyAt, '1 / (1 + hours)'),
  ofNumber('follows_creator', followsCreatorAt, '0 or 1'),
  ofNumber('follows_topic', followsTopicAt, '0 or 1'),
]
