import type { Random } from '@freshet/domain/clock'
import type { TruePin, TrueUser } from './truth.ts'

const startMs = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000
const locales = ['', '', '', 'de', 'de-AT', 'de-DE', 'en', 'en-US', 'fr-FR'] as const
const readers = ['', '', 'de', 'de-AT', 'de-CH', 'en-US', 'en-GB', 'fr-FR', 'ja'] as const
const labels = ['adult', 'violence'] as const

/** When the world begins, milliseconds since the epoch. */
export const worldStartMs = startMs

/** Draws everything that can happen in the world. */
export interface Draws {
  chance(probability: number): boolean
  below(count: number): number
  pick<T>(values: readonly T[]): T
  some<T>(values: readonly T[], most: number): readonly T[]
  pin(number: number, nowMs: number): TruePin
  user(number: number): TrueUser
}

/** Draws from a source of random numbers. */
export function createDraws(random: Random): Draws {
  const below = (count: number): number => Math.floor(random.next() * count)
  const chance = (probability: number): boolean => random.next() < probability
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T
  const some = <T>(values: readonly T[], most: number): readonly T[] =>
    values.length === 0 ? [] : [...new Set(Array.from({ length: below(most + 1) }, () => pick(values)))]
  const name = (kind: string, count: number): string => `${kind}${below(count)}`
  const seconds = (ms: number): number => Math.floor(ms / 1000) * 1000

  return {
    chance,
    below,
    pick,
    some,
    pin(number, nowMs) {
      const awayMs = () => seconds(random.next() * 3 * dayMs)
      const availableFromMs = chance(0.08) ? nowMs + awayMs() - dayMs : null
      return {
        pinId: `pin-${number}`,
        words: [name('word', 40), name('word', 40), name('word', 40)],
        topics: [...new Set([name('topic', 15), name('topic', 15)])],
        creatorId: chance(0.06) ? name('user-', 40) : name('creator', 40),
        createdAtMs: seconds(nowMs - random.next() * 20 * dayMs),
        locale: pick(locales),
        availableFromMs,
        expiresAtMs: chance(0.1) ? Math.max(nowMs, availableFromMs ?? 0) + 60_000 + awayMs() : null,
        labels: chance(0.1) ? some(labels, 2) : [],
        minAge: chance(0.1) ? pick([13, 16, 18]) : 0,
        picture: chance(0.2) ? name('picture', 40) : '',
      }
    },
    user: (number) => ({
      userId: `user-${number}`,
      age: pick([null, 12, 13, 17, 18, 40]),
      locale: pick(readers),
      labels: some(labels, 2),
      includesOwn: chance(0.3),
      wishes: new Map(),
      seen: new Map(),
      shown: [],
      acts: 0,
      knownUntil: 0,
    }),
  }
}
