import { createSeededRandom } from '@freshet/adapters/memory/random'
import { index } from './draws.ts'
import type { Ask, Engagement, Pin, WorldLine } from './protocol.ts'
import type { Player, Truth } from './world.ts'

type Choose = (ask: Ask, eligible: readonly Pin[], truth: Truth) => readonly string[]

/** The policies that a product is compared with. */
export const policyNames = ['random', 'popular', 'simple', 'best'] as const

/** A reference policy. None shows a pin again that the user looked at, unless nothing else is left. */
export function createPolicy(name: (typeof policyNames)[number], seed: number): Player {
  const random = createSeededRandom(`policy-${seed}`)
  const pins = new Map<string, Pin>()
  const looked = new Map<string, Set<string>>()
  const learner = createRates()
  let feeds = 0
  const choices: Record<(typeof policyNames)[number], Choose> = {
    random: ({ pageSize }, eligible) => {
      const rest = [...eligible]
      return Array.from({ length: Math.min(pageSize, rest.length) }, () => {
        const at = index(random, rest.length)
        const [pin] = rest.splice(at, 1, rest.at(-1))
        rest.pop()
        return pin!.pinId
      })
    },
    popular: ({ pageSize }, eligible) => best(eligible, pageSize, (pin) => learner.saves(pin) + 1e-6 * random.next()),
    simple: ({ pageSize, userId }, eligible) =>
      best(eligible, pageSize, (pin) => learner.rate(userId, pin) * (0.8 + 0.4 * random.next())),
    best: (_ask, _eligible, truth) => truth.bestPage(),
  }
  return {
    name,
    take(line: WorldLine) {
      if ('pin' in line) pins.set(line.pin.pinId, line.pin)
      if (!('engagement' in line)) return
      const { engagement } = line
      const seen = looked.get(engagement.userId) ?? new Set()
      looked.set(engagement.userId, seen.add(engagement.pinId))
      learner.learn(engagement, pins.get(engagement.pinId)!)
    },
    show(ask, truth) {
      const seen = looked.get(ask.userId)
      const unseen = [...pins.values()].filter(({ pinId }) => seen?.has(pinId) !== true)
      const eligible = unseen.length >= ask.pageSize ? unseen : [...pins.values()]
      return { id: ask.id, feedId: `feed-${feeds++}`, pinIds: choices[name](ask, eligible, truth) }
    },
  }
}

/**
 * Saves ÷ looks, counted by user and topic, by creator and by pin, each smoothed towards the rate of all;
 * the rate of a pin for a user is their product, relative to the rate of all.
 */
function createRates() {
  const counts = new Map<string, { looks: number; saves: number }>()
  const at = (key: string): { looks: number; saves: number } => {
    const found = counts.get(key) ?? { looks: 0, saves: 0 }
    counts.set(key, found)
    return found
  }
  const keysOf = (userId: string, pin: Pin): readonly (readonly [string, number])[] => [
    [`${userId} ${pin.topics[0]!}`, 8],
    [pin.creatorId, 30],
    [pin.pinId, 30],
  ]
  const all = at('all')
  const overall = (): number => (all.saves + 1) / (all.looks + 40)
  return {
    learn({ userId, action }: Engagement, pin: Pin): void {
      if (action !== 'impression' && action !== 'save') return
      const what = action === 'save' ? 'saves' : 'looks'
      all[what]++
      for (const [key] of keysOf(userId, pin)) at(key)[what]++
    },
    saves: ({ pinId }: Pin): number => counts.get(pinId)?.saves ?? 0,
    rate(userId: string, pin: Pin): number {
      const base = overall()
      let rate = base
      for (const [key, weight] of keysOf(userId, pin)) {
        const { looks, saves } = counts.get(key) ?? { looks: 0, saves: 0 }
        rate *= (saves + weight * base) / (looks + weight) / base
      }
      return rate
    },
  }
}

function best(pins: readonly Pin[], count: number, score: (pin: Pin) => number): readonly string[] {
  return pins
    .map((pin) => ({ pinId: pin.pinId, score: score(pin) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ pinId }) => pinId)
}
