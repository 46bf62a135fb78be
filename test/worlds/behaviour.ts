import type { Random } from '@freshet/domain/clock'
import { sigmoid } from './draws.ts'
import { fatigueHalfLifeMs, type Creator, type Person, type WorldPin } from './population.ts'
import type { Engagement } from './protocol.ts'

/** What someone would do with a pin that they look at. */
export interface Intent {
  readonly save: number
  readonly click: number
  readonly closeup: number
  readonly hide: number
}

/** Chance that someone looks at the pin at this place of a page, from 0 on. */
export function looksAt(position: number): number {
  return 0.25 + 0.75 * 0.94 ** position
}

/** Lets fatigue wear off up to a time. */
export function rest(person: Person, atMs: number): void {
  const factor = 0.5 ** ((atMs - person.fatigueAtMs) / fatigueHalfLifeMs)
  for (let topic = 0; topic < person.fatigue.length; topic++) person.fatigue[topic]! *= factor
  person.fatigueAtMs = atMs
}

/** How much someone likes a pin now, in units of log-odds. */
export function likingOf(person: Person, pin: WorldPin, creators: readonly Creator[], atMs: number): number {
  const { style } = creators[pin.creator]!
  let liking = person.readiness + pin.quality + tasteFor(person, pin.topics)
  for (let at = 0; at < style.length; at++) liking += person.styleTastes[at]! * style[at]!
  const days = (atMs - pin.createdAtMs) / 86_400_000
  liking += 0.3 * 0.5 ** (days / 3) - 0.012 * person.fatigue[pin.topic]!
  return liking - 1.2 * (person.looks.get(pin.pinId) ?? 0)
}

function tasteFor({ topicTastes }: Person, topics: readonly number[]): number {
  let sum = 0
  for (const topic of topics) sum += topicTastes[topic]!
  return sum / topics.length
}

/** Chance of a save by someone who looks at a pin; `extraFatigue`: of its topic, from the same page. */
export function saveChance(person: Person, pin: WorldPin, liking: number, extraFatigue = 0): number {
  if (person.saved.has(pin.pinId) || person.hidden.has(pin.pinId)) return 0
  return sigmoid(liking - 0.012 * extraFatigue - 4.3)
}

/** The true probabilities of a pin for someone, on the condition that they look at it. */
export function intentOf(person: Person, pin: WorldPin, creators: readonly Creator[], atMs: number): Intent {
  const liking = likingOf(person, pin, creators, atMs)
  return {
    save: saveChance(person, pin, liking),
    click: sigmoid(0.8 * liking - 2.8),
    closeup: sigmoid(0.7 * liking - 1.9),
    hide: sigmoid(-1.3 * liking - 5),
  }
}

/** What someone does with a page, one engagement after another, and what it does to them. */
export function react(
  random: Random,
  person: Person,
  page: readonly WorldPin[],
  shown: {
    readonly creators: readonly Creator[]
    readonly atMs: number
    readonly feedId: string
    readonly askId: string
  },
): { readonly engagements: Engagement[]; readonly saves: number; readonly endsAtMs: number } {
  const { creators, feedId, askId } = shown
  const engagements: Engagement[] = []
  let atMs = shown.atMs
  let saves = 0
  const act = (action: Engagement['action'], pin: WorldPin, position: number): void => {
    engagements.push({
      eventId: `${askId}-${engagements.length}`,
      userId: person.userId,
      action,
      pinId: pin.pinId,
      occurredAt: new Date(atMs).toISOString(),
      feedId,
      position,
      surface: 'home',
      ...(action === 'save' && { boardId: `${person.userId}-board-${pin.topic}` }),
    })
  }
  for (const [position, pin] of page.entries()) {
    if (random.next() >= looksAt(position)) continue
    const intent = intentOf(person, pin, creators, atMs)
    atMs += 400 + Math.floor(random.next() * 1_200)
    act('impression', pin, position)
    person.fatigue[pin.topic]! += 1
    person.looks.set(pin.pinId, (person.looks.get(pin.pinId) ?? 0) + 1)
    if (random.next() < intent.hide) {
      act('hide', pin, position)
      person.hidden.add(pin.pinId)
      continue
    }
    if (random.next() < intent.closeup) {
      atMs += 1_500
      act('closeup', pin, position)
    }
    if (random.next() < intent.click) {
      atMs += 3_000
      act('click', pin, position)
    }
    if (random.next() < intent.save) {
      atMs += 2_000
      act('save', pin, position)
      person.saved.add(pin.pinId)
      saves++
    }
  }
  return { engagements, saves, endsAtMs: atMs }
}
