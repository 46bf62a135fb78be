import { mix32 } from '@freshet/domain/hash'
import { beforeAll, describe, expect, test } from 'vitest'

import { anOpenRetrieval, anEngagement, aQuery, asData, minuteMs, recentClicks, startMs } from './builders.fixture.ts'
import type { Retrieval } from './retrieval.ts'

const folds = 3_000

/** The n-th click: sixty users of six tastes, each of which has forty pins. */
function fold(retrieval: Retrieval, n: number): void {
  const user = mix32(n) % 60
  const pin = (user % 6) * 40 + (mix32(n * 7) % 40)
  retrieval.foldEngagement(anEngagement({ userId: `u${user}`, pinId: `p${pin}`, atMs: startMs + n * minuteMs }))
}

const make = (adaptShares: boolean, refresh: 'event' | 'mark' = 'event'): Retrieval =>
  anOpenRetrieval({ config: { adaptShares }, seed: 1, refresh })
const question = aQuery({ atMs: startMs + folds * minuteMs, recent: recentClicks(['p1', 'p2', 'p3']), limit: 50 })

describe('what the log taught', () => {
  const taught = make(true)
  let answer: unknown
  beforeAll(() => {
    for (let n = 0; n < folds; n++) fold(taught, n)
    answer = asData(taught, question)
  })

  test('changes the union but not the answer of each source', () => {
    const plain = make(false)
    for (let n = 0; n < folds; n++) fold(plain, n)
    const [with_, without] = [taught.retrieve(question), plain.retrieve(question)]
    expect(with_.scores).not.toEqual(without.scores)
    const only = { ...question, sources: ['pixie-walk'] }
    expect(taught.retrieve(only).pinIds).toEqual(plain.retrieve(only).pinIds)
  })

  test('does not depend on users’ queries', () => {
    const asked = make(true)
    for (let n = 0; n < folds; n++) {
      fold(asked, n)
      if (n % 10 === 0) asked.retrieve(question)
    }
    expect(asData(asked, question)).toEqual(answer)
  })

  test('A29: up to the first mark each event teaches from the events before it, later from the views as of the last mark', () => {
    const marked = make(true, 'mark')
    const live = make(true)
    const plain = make(false, 'mark')
    const foldBoth = (from: number, to: number) => {
      for (const each of [marked, live, plain]) for (let n = from; n < to; n++) fold(each, n)
      for (const each of [marked, plain]) each.mark()
    }
    foldBoth(0, folds / 2)
    expect(asData(marked, question)).toEqual(asData(live, question))
    expect(asData(marked, question)).not.toEqual(asData(plain, question))
    foldBoth(folds / 2, folds)
    expect(asData(marked, question)).not.toEqual(asData(live, question))
    expect(asData(marked, question)).not.toEqual(asData(plain, question))
  })

  test('is in the snapshot, and learning continues from there', () => {
    const half = make(true)
    for (let n = 0; n < folds / 2; n++) fold(half, n)
    const restored = make(true)
    restored.restore(half.snapshot(new Uint8Array(0)))
    for (let n = folds / 2; n < folds; n++) fold(restored, n)
    expect(asData(restored, question)).toEqual(answer)
  })
})
