import { decay } from '../decay.ts'
import { actions, type Action } from '../engagement.ts'
import { hash32 } from '../hash.ts'
import type { Pin } from '../pin.ts'
import type { UserState } from '../user-state.ts'
import { boardWeight } from './board-affinity.ts'
import { hours, scalarOver, type Feature } from './feature.ts'
import { hasRelation, relationIds } from './relations.ts'
import { standingOf } from './standing-actions.ts'

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

/** The context of these features. */
interface InterestContext {
  readonly interests: Interests | null
  readonly pin: { isOn(boardId: string, hash: number): boolean } | null
  readonly pinMeta: Pick<Pin, 'topics' | 'creatorId'> | null
  readonly atMs: number
}

const scalar = scalarOver<InterestContext>()

const topicFeature = scalar({
  name: 'topic_affinity',
  unit: 'weighted actions',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta }) => {
    let sum = 0
    for (const topic of pinMeta.topics) sum += interests.topics.get(topic)?.weight ?? 0
    return sum / Math.max(1, pinMeta.topics.length)
  },
})

const creatorFeature = scalar({
  name: 'creator_affinity',
  unit: 'weighted actions',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta }) => (pinMeta.creatorId && interests.creators.get(pinMeta.creatorId)?.weight) || 0,
})

const boardFeature = scalar({
  name: 'board_affinity',
  unit: 'decayed saves',
  missing: 0,
  needs: ['interests', 'pin'],
  value: ({ interests: { boards }, pin }) => {
    let most = 0
    for (const { id, hash, weight } of boards) if (weight > most && pin.isOn(id, hash)) most = weight
    return most
  },
})

/** Recency is `1 / (1 + hours)`: 1 just now, 0 never. */
const topicRecency = scalar({
  name: 'topic_recency',
  unit: '1 / (1 + hours)',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta, atMs }) => {
    let most = 0
    for (const topic of pinMeta.topics) most = Math.max(most, recency(interests.topics.get(topic), atMs))
    return most
  },
})

const creatorRecency = scalar({
  name: 'creator_recency',
  unit: '1 / (1 + hours)',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta, atMs }) =>
    pinMeta.creatorId === null ? 0 : recency(interests.creators.get(pinMeta.creatorId), atMs),
})

const followsCreator = scalar({
  name: 'follows_creator',
  unit: '0 or 1',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta }) =>
    pinMeta.creatorId !== null && interests.followedCreators.has(pinMeta.creatorId) ? 1 : 0,
})

const followsTopic = scalar({
  name: 'follows_topic',
  unit: '0 or 1',
  missing: 0,
  needs: ['interests', 'pinMeta'],
  value: ({ interests, pinMeta }) => (pinMeta.topics.some((topic) => interests.followedTopics.has(topic)) ? 1 : 0),
})

/** Features that measure how well a pin fits a user. */
export const interestFeatures: readonly Feature<InterestContext>[] = [
  topicFeature,
  creatorFeature,
  boardFeature,
  topicRecency,
  creatorRecency,
  followsCreator,
  followsTopic,
]

function recency(interest: Interest | undefined, atMs: number): number {
  return interest === undefined || interest.lastAtMs === 0 ? 0 : 1 / (1 + hours(atMs - interest.lastAtMs))
}
