import type { Random } from '@freshet/domain/clock'
import { index, normal, weighted } from './draws.ts'
import { dayMs, type WorldSettings } from './settings.ts'

/** Someone with tastes that nobody sees. */
export interface Person {
  readonly userId: string
  /** Liking of each topic, in units of log-odds. */
  topicTastes: Float64Array
  /** Taste in style; its product with a creator's style is the liking of that creator. */
  styleTastes: Float64Array
  /** How readily this person saves anything, in units of log-odds. */
  readonly readiness: number
  /** How tired this person is of each topic, and since when; decays with a half-life of `fatigueHalfLifeMs`. */
  readonly fatigue: Float64Array
  fatigueAtMs: number
  /** How often each pin was looked at. */
  readonly looks: Map<string, number>
  readonly saved: Set<string>
  readonly hidden: Set<string>
  /** Mean satisfaction of the last visits, in saves a page. */
  satisfaction: number
}

/** A pin and what nobody sees of it. */
export interface WorldPin {
  readonly pinId: string
  /** What it is about before all: people get tired of this topic. */
  readonly topic: number
  /** All its topics, `topic` first. */
  readonly topics: readonly number[]
  readonly creator: number
  /** In units of log-odds. */
  readonly quality: number
  readonly createdAtMs: number
}

/** Who makes pins. */
export interface Creator {
  readonly creatorId: string
  readonly style: Float64Array
  readonly quality: number
  readonly topics: readonly number[]
}

export const fatigueHalfLifeMs = dayMs / 2
const styles = 6

/** Creators, each with a style and two or three topics. */
export function makeCreators(random: Random, { creators, topics, creatorQuality }: WorldSettings): Creator[] {
  return Array.from({ length: creators }, (_, at) => ({
    creatorId: `creator-${at}`,
    style: vector(random, styles, 1),
    quality: creatorQuality * normal(random),
    topics: Array.from({ length: 2 + index(random, 2) }, () => index(random, topics)),
  }))
}

/** A pin by a creator; busy creators make more of them. */
export function makePin(
  random: Random,
  creators: readonly Creator[],
  { pinId, createdAtMs }: Pick<WorldPin, 'pinId' | 'createdAtMs'>,
  settings: WorldSettings,
): WorldPin {
  const at = weighted(
    random,
    creators.map((_, place) => 1 / (place + 10)),
  )
  const { topics: own, quality } = creators[at]!
  const topic = own[index(random, own.length)]!
  const more = Array.from({ length: settings.topicsPerPin - 1 }, () => index(random, settings.topics))
  return {
    pinId,
    creator: at,
    topic,
    topics: [...new Set([topic, ...more])],
    quality: quality + 0.15 * normal(random),
    createdAtMs,
  }
}

/** A person at the beginning: rested, and content enough to come. */
export function makePerson(random: Random, at: number, settings: WorldSettings): Person {
  return {
    userId: `user-${at}`,
    ...makeTastes(random, settings),
    readiness: 0.3 * normal(random),
    fatigue: new Float64Array(settings.topics),
    fatigueAtMs: settings.startMs,
    looks: new Map(),
    saved: new Set(),
    hidden: new Set(),
    satisfaction: 0.5,
  }
}

/** Topics that someone likes, one or two that they can't stand, and a taste in style. */
export function makeTastes(
  random: Random,
  { topics, likedTopics: { least, most }, styleTaste }: WorldSettings,
): Pick<Person, 'topicTastes' | 'styleTastes'> {
  const topicTastes = vector(random, topics, 0.2).map((taste) => taste - 0.3)
  for (let liked = least + index(random, most - least + 1); liked > 0; liked--)
    topicTastes[index(random, topics)] = 1.6 + 0.8 * random.next()
  for (let disliked = 1 + index(random, 2); disliked > 0; disliked--) topicTastes[index(random, topics)] = -1.5
  return { topicTastes, styleTastes: vector(random, styles, styleTaste) }
}

function vector(random: Random, length: number, scale: number): Float64Array {
  return Float64Array.from({ length }, () => scale * normal(random))
}
