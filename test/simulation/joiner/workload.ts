import type { Random } from '@freshet/domain/clock'
import { actRecord, feedRecord, type ActFixture, type SlateFixture } from '@freshet/trainer/joiner/served.fixture'
import type { NewRecord } from '@freshet/contracts/ports/event-log'

/** Windows of the simulated joiner, milliseconds. */
export const simWindows = { windowMs: 1_000, deliveryMs: 100, lateWindowMs: 600 }

/** A record that reaches the log at a time. */
export interface Due {
  readonly atMs: number
  readonly topic: 'feeds-served.v1' | 'engagements.v1'
  readonly record: NewRecord
  readonly what: { readonly slate: SlateFixture } | { readonly act: ActFixture }
}

const startMs = 1_000_000
const actions = ['impression', 'impression', 'click', 'save', 'hide', 'closeup'] as const

/** Some feeds, what users do with them, and when the records reach the log: soon, at a bound, late, twice, before their feed. */
export function drawWorkload(random: Random): readonly Due[] {
  const below = (count: number): number => Math.floor(random.next() * count)
  const one = <T>(values: readonly T[]): T => values[below(values.length)] as T
  const due: Due[] = []
  const delayed = (atMs: number): number => {
    const { windowMs, deliveryMs, lateWindowMs } = simWindows
    return (
      atMs +
      one([0, 0, 1, 20, deliveryMs - 1, deliveryMs, windowMs, windowMs + deliveryMs + one([-1, 0, lateWindowMs])])
    )
  }
  const users = ['ada', 'bob', 'eve'].slice(0, 1 + below(3))
  const slates = Array.from({ length: 2 + below(6) }, (_, at): SlateFixture => {
    const pins = ['a', 'b', 'c', 'd'].slice(below(3))
    const atMs = startMs + below(4_000)
    return { feedId: `f${at}`, userId: one(users), atMs, pinIds: pins, unshownIds: ['y', 'z'].slice(below(3)) }
  })
  for (const slate of slates) {
    const isSlow = random.next() < 0.2
    const first = isSlow ? delayed(slate.atMs) : slate.atMs + below(20)
    const times = random.next() < 0.3 ? [first, first + one([0, 50, 900])] : [first]
    for (const atMs of times) {
      due.push({ atMs, topic: 'feeds-served.v1', record: feedRecord(slate), what: { slate } })
    }
    for (let left = below(8); left > 0; left--) {
      const atMs = slate.atMs + one([0, 1, 30, below(900), 1_000, 1_001, 1_300])
      const named = random.next() < 0.6 ? { feedId: random.next() < 0.05 ? 'unknown' : slate.feedId } : {}
      const act: ActFixture = {
        ...named,
        userId: slate.userId,
        pinId: one(['a', 'b', 'c', 'd']),
        action: one(actions),
        atMs,
      }
      const arrivals = random.next() < 0.2 ? 2 : 1
      for (let i = 0; i < arrivals; i++) {
        due.push({ atMs: delayed(atMs), topic: 'engagements.v1', record: actRecord(act), what: { act } })
      }
    }
  }
  return due.sort((a, b) => a.atMs - b.atMs)
}
