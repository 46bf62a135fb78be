import type { Intent } from './behaviour.ts'
import type { Person, WorldPin } from './population.ts'
import type { DayFigures, Engagement, Shown, WorldReport } from './protocol.ts'
import { dayMs, type WorldSettings } from './settings.ts'

interface Day {
  feeds: number
  saves: number
  value: number
  best: number
  pins: number
  readonly users: Set<string>
  readonly lookedAt: Set<string>
}

/** Adds up what happens in a world, by day. */
export function createFigures(settings: WorldSettings, policy: string) {
  const days: Day[] = []
  const sums = new Map<string, { predicted: number; truth: number }>()
  /** Looks at pins while they are new. */
  const looks = new Map<string, number>()
  const dayOf = (atMs: number): Day => {
    const at = Math.floor((atMs - settings.startMs) / dayMs)
    while (days.length <= at)
      days.push({ feeds: 0, saves: 0, value: 0, best: 0, pins: 0, users: new Set(), lookedAt: new Set() })
    return days[at]!
  }
  return {
    /** Someone was shown a page: its expected saves, those of the best page, and how many pins exist. */
    fed(
      atMs: number,
      { userId }: Person,
      page: { readonly value: number; readonly best: number; readonly pins: number },
    ): void {
      const day = dayOf(atMs)
      day.feeds++
      day.value += page.value
      day.best += page.best
      day.pins = page.pins
      day.users.add(userId)
    },
    /** Compares predicted probabilities with the true ones. */
    predicted(shown: Shown, page: readonly WorldPin[], intentOf: (pin: WorldPin) => Intent): void {
      if (shown.probabilities === undefined) return
      const intents = page.map(intentOf)
      for (const action of ['save', 'click', 'closeup', 'hide'] as const) {
        const predictions = shown.probabilities[action]
        if (predictions === undefined) continue
        const sum = sums.get(action) ?? { predicted: 0, truth: 0 }
        sums.set(action, sum)
        for (const [at, intent] of intents.entries()) {
          sum.predicted += predictions[at] ?? 0
          sum.truth += intent[action]
        }
      }
    },
    reacted(
      atMs: number,
      engagements: readonly Engagement[],
      { saves, pins }: { readonly saves: number; readonly pins: ReadonlyMap<string, WorldPin> },
    ): void {
      const day = dayOf(atMs)
      day.saves += saves
      for (const { pinId, action } of engagements) {
        day.lookedAt.add(pinId)
        const isNew = atMs - (pins.get(pinId)?.createdAtMs ?? -Infinity) < dayMs
        if (isNew && action === 'impression') looks.set(pinId, (looks.get(pinId) ?? 0) + 1)
      }
    },
    /** What came out of the world, whose pins are given. */
    report(pins: Iterable<WorldPin>): WorldReport {
      const endMs = settings.startMs + days.length * dayMs
      const newPins = [...pins].filter(
        ({ createdAtMs }) => createdAtMs > settings.startMs && createdAtMs <= endMs - dayMs,
      )
      const withAChance = newPins.filter(({ pinId }) => (looks.get(pinId) ?? 0) >= looksForAChance)
      const figures = days.map((day, at): DayFigures => ({
        day: at,
        feeds: day.feeds,
        savesPerFeed: round(day.saves / day.feeds),
        shareOfBest: round(day.value / day.best),
        users: day.users.size,
        coverage: round(day.lookedAt.size / day.pins),
      }))
      const later = figures.slice(1)
      return {
        seed: settings.seed,
        policy,
        days: figures,
        shareOfBest: round(later.reduce((sum, day) => sum + day.shareOfBest, 0) / later.length),
        regret: round(days.reduce((sum, day) => sum + day.best - day.value, 0)),
        returning: round((days.at(-1)?.users.size ?? 0) / settings.users),
        newPins: newPins.length === 0 ? 0 : round(withAChance.length / newPins.length),
        calibration: Object.fromEntries(
          [...sums].map(([action, { predicted, truth }]) => [action, round(predicted / truth)]),
        ),
      }
    },
  }
}

/** A new pin had its chance if it was looked at this often on its first day. */
const looksForAChance = 5

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
