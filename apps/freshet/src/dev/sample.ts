import type { Random } from '@freshet/domain/clock'

/** A pin in the form of the HTTP API. */
export type SamplePin = Readonly<Record<string, unknown>> & {
  readonly pinId: string
  readonly topics: readonly string[]
}
/** An engagement in the form of the HTTP API. */
export type SampleEngagement = Readonly<Record<string, unknown>>

const themes: readonly (readonly [topic: string, things: readonly string[], manners: readonly string[]])[] = [
  [
    'baking',
    ['sourdough', 'cinnamon rolls', 'lemon tart', 'focaccia', 'rye bread'],
    ['overnight', 'beginner', 'no-knead', 'from Naples'],
  ],
  [
    'gardening',
    ['tomatoes', 'raised beds', 'compost', 'herb spiral', 'roses'],
    ['on a balcony', 'in clay soil', 'for shade', 'in spring'],
  ],
  [
    'cycling',
    ['gravel bike', 'panniers', 'alpine pass', 'commute', 'tubeless tyres'],
    ['in winter', 'under 1,000', 'for two days', 'step by step'],
  ],
  [
    'interiors',
    ['reading nook', 'hallway', 'oak shelves', 'small kitchen', 'linen curtains'],
    ['in a rental', 'in green', 'before and after', 'on a budget'],
  ],
  [
    'ceramics',
    ['mugs', 'glaze tests', 'pit firing', 'moon jar', 'hand building'],
    ['for beginners', 'at cone 6', 'in white', 'with ash'],
  ],
  [
    'hiking',
    ['hut tour', 'ridge walk', 'packing list', 'map reading', 'rain gear'],
    ['with children', 'in the Alps', 'in autumn', 'for three days'],
  ],
  [
    'knitting',
    ['cardigan', 'socks', 'colourwork', 'cables', 'baby blanket'],
    ['top down', 'in merino', 'free pattern', 'in one week'],
  ],
  [
    'photography',
    ['street scenes', 'golden hour', 'film grain', 'portraits', 'night sky'],
    ['on a phone', 'at 35 mm', 'without flash', 'in black and white'],
  ],
  [
    'travel',
    ['Lisbon', 'Kyoto', 'Oaxaca', 'Tbilisi', 'night trains'],
    ['in three days', 'by rail', 'off season', 'with a tent'],
  ],
  [
    'woodwork',
    ['dovetails', 'workbench', 'spoon carving', 'stool', 'hand planes'],
    ['with hand tools', 'in ash', 'in a weekend', 'from scrap'],
  ],
]

/** Size of the sample. */
export interface SampleSize {
  readonly pinsPerTopic: number
  readonly users: number
  readonly sessionsPerUser: number
}

/** The size for an empty folder of `npm start`. */
export const smallSample: SampleSize = { pinsPerTopic: 40, users: 80, sessionsPerUser: 5 }

/** A catalogue of ten topics. Each creator has one topic; visual embeddings of a topic are close to each other. */
export function samplePins(size: SampleSize, random: Random, nowMs: number): SamplePin[] {
  const width = 16
  return themes.flatMap(([topic, things, manners], theme) => {
    const centre = Array.from({ length: width }, (_, at) => (at === theme ? 1 : 0.1 * gaussian(random)))
    return Array.from({ length: size.pinsPerTopic }, (_, at) => ({
      pinId: `${topic}-${at + 1}`,
      title: `${capitalise(pick(things, random))} ${pick(manners, random)}`,
      topics: [topic],
      creatorId: `${topic}-creator-${1 + Math.floor(random.next() * 4)}`,
      createdAt: new Date(nowMs - Math.floor(random.next() * 30 * 86_400_000)).toISOString(),
      visualEmbedding: centre.map((value) => round(value + 0.15 * gaussian(random))),
    }))
  })
}

/**
 * Engagements of simulated users in the two days before `nowMs`, in time order. Each likes two topics, opens and saves what
 * it likes, passes over the rest, and now and then hides something.
 */
export function sampleEngagements(
  pins: readonly SamplePin[],
  size: SampleSize,
  random: Random,
  nowMs: number,
): SampleEngagement[] {
  const byTopic = Map.groupBy(pins, ({ topics }) => topics[0]!)
  const topics = [...byTopic.keys()]
  const events: { atMs: number; event: SampleEngagement }[] = []
  for (let user = 1; user <= size.users; user++) {
    const likes = [pick(topics, random), pick(topics, random)]
    for (let session = 1; session <= size.sessionsPerUser; session++) {
      let atMs = nowMs - 600_000 - Math.floor(random.next() * 2 * 86_400_000)
      const topic = random.next() < 0.85 ? pick(likes, random) : pick(topics, random)
      const liked = likes.includes(topic)
      for (let step = 0; step < 8; step++) {
        const pin = skewedPick(byTopic.get(topic)!, random)
        const action = sampleAction(liked, random)
        atMs += 2_000 + Math.floor(random.next() * 30_000)
        events.push({
          atMs,
          event: {
            eventId: `sample-${user}-${session}-${step}`,
            userId: `user-${user}`,
            sessionId: `user-${user}-session-${session}`,
            action,
            pinId: pin.pinId,
            ...(action === 'save' ? { boardId: `user-${user}-${topic}` } : {}),
            occurredAt: new Date(atMs).toISOString(),
          },
        })
      }
    }
  }
  return events.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event)
}

/** What a simulated user does with a pin of a topic that they like, or of another topic. */
export function sampleAction(
  likesTopic: boolean,
  random: Random,
): 'impression' | 'closeup' | 'click' | 'save' | 'hide' {
  const draw = random.next()
  if (!likesTopic) return draw < 0.9 ? 'impression' : 'hide'
  if (draw < 0.35) return 'impression'
  if (draw < 0.65) return 'closeup'
  return draw < 0.8 ? 'click' : 'save'
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.next() * list.length)]!
}

/** Some pins are far more popular than others. */
function skewedPick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.next() ** 2 * list.length)]!
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
