import type { Random } from '@freshet/domain/clock'
import { hash32 } from '@freshet/domain/hash'
import type { PicturePin } from '@freshet/pictures/catalogue'
import type { PictureUser } from '@freshet/pictures/users'

/** An engagement in the form of the HTTP API. */
export type SampleEngagement = Readonly<Record<string, unknown>>

/** Size of the simulated past. */
export interface SampleSize {
  /** Users without a name, besides the named ones. */
  readonly visitors: number
  readonly sessionsPerUser: number
  readonly stepsPerSession: number
}

/** The size for an empty folder of `npm start`. */
export const smallPast: SampleSize = { visitors: 48, sessionsPerUser: 6, stepsPerSession: 10 }

/** About `count` pins: all styles of some things, the same ones each time. */
export function somePins(pins: readonly PicturePin[], count: number): readonly PicturePin[] {
  const share = Math.min(1, count / pins.length) * 2 ** 32
  return pins.filter(({ pinId }) => hash32(pinId.slice(pinId.indexOf('-'))) < share)
}

/** The named users and others, who like two to three topics and one or two styles of the pins. */
export function sampleUsers(
  named: readonly PictureUser[],
  pins: readonly PicturePin[],
  size: SampleSize,
  random: Random,
): readonly PictureUser[] {
  const topics = [...new Set(pins.map((pin) => pin.topics[0]))]
  const styles = [...new Set(pins.map(({ creatorId }) => creatorId))]
  const visitors = Array.from({ length: size.visitors }, (_, at) => ({
    userId: `visitor-${at + 1}`,
    name: null,
    locale: pick(named, random).locale,
    // Half follow the taste of somebody who has a name, so that neighbours exist.
    likes: [
      ...(random.next() < 0.5 ? pick(named, random).likes.slice(0, 2) : [pick(topics, random), pick(topics, random)]),
      ...(random.next() < 0.5 ? [pick(topics, random)] : []),
    ],
    styles: [pick(styles, random), ...(random.next() < 0.5 ? [pick(styles, random)] : [])],
  }))
  return [...named, ...visitors]
}

/**
 * Engagements of simulated users in the two days before `nowMs`, in time order. Each follows a style, looks mostly at topics that they like, opens and
 * saves what it likes, passes over the rest, and now and then hides something.
 */
export function sampleEngagements(
  users: readonly PictureUser[],
  pins: readonly PicturePin[],
  size: SampleSize,
  random: Random,
  nowMs: number,
): readonly SampleEngagement[] {
  const byTopic = Map.groupBy(pins, ({ topics }) => topics[0])
  const topics = [...byTopic.keys()]
  const events: { atMs: number; event: SampleEngagement }[] = []
  const add = (atMs: number, event: SampleEngagement): void => {
    events.push({ atMs, event: { ...event, occurredAt: new Date(atMs).toISOString() } })
  }
  for (const user of users) {
    const { userId, styles } = user
    const likes = user.likes.filter((topic) => byTopic.has(topic))
    add(nowMs - 2 * dayMs - 1_000, {
      ...{ eventId: `sample-${userId}-follow`, userId, action: 'follow', creatorId: styles[0] },
    })
    for (let session = 1; session <= size.sessionsPerUser; session++) {
      let atMs = nowMs - 600_000 - Math.floor(random.next() * 2 * dayMs)
      const topic = likes.length > 0 && random.next() < 0.85 ? pick(likes, random) : pick(topics, random)
      for (let step = 0; step < size.stepsPerSession; step++) {
        const pin = popularPick(byTopic.get(topic)!, styles, random)
        const action = sampleAction(user, pin, random)
        atMs += 2_000 + Math.floor(random.next() * 30_000)
        add(atMs, {
          eventId: `sample-${userId}-${session}-${step}`,
          userId,
          sessionId: `${userId}-session-${session}`,
          action,
          pinId: pin.pinId,
          ...(action === 'save' ? { boardId: `${userId}-${topic}` } : {}),
        })
      }
    }
  }
  return events.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event)
}

/** What a simulated user does with a pin: most with topics that they like, a little less if the style is not theirs. */
export function sampleAction(
  { likes, styles }: Pick<PictureUser, 'likes' | 'styles'>,
  { topics, creatorId }: Pick<PicturePin, 'topics' | 'creatorId'>,
  random: Random,
): 'impression' | 'closeup' | 'click' | 'save' | 'hide' {
  const draw = random.next()
  if (!likes.includes(topics[0])) return draw < 0.9 ? 'impression' : 'hide'
  const passesOver = styles.includes(creatorId) ? 0.3 : 0.6
  if (draw < passesOver) return 'impression'
  const rest = (draw - passesOver) / (1 - passesOver)
  if (rest < 0.45) return 'closeup'
  return rest < 0.7 ? 'click' : 'save'
}

const dayMs = 86_400_000

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.next() * list.length)]!
}

/** Some pins are far more popular than others; of two, rather the one in a style that the user likes. */
function popularPick(list: readonly PicturePin[], styles: readonly string[], random: Random): PicturePin {
  const skewed = (): PicturePin => {
    const rank = Math.floor(random.next() ** 2 * list.length)
    // Which pins are popular does not follow the order of the catalogue.
    return list[(rank * 7919) % list.length]!
  }
  const [first, second] = [skewed(), skewed()]
  return styles.includes(second.creatorId) ? second : first
}
