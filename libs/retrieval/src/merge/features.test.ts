import { mix32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'
import { createHits, createScoreBoard } from '@freshet/columns/score-board'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { startMs } from '../builders.fixture.ts'
import type { EnabledSource } from '../query/enabled-sources.ts'
import { createCatalogue } from '../views/catalogue.ts'
import { createRates } from '../views/rates.ts'
import { createFeatures } from './features.ts'
import { mixHits } from './merge.ts'
import { createStack } from './stack.ts'

const pins = 60
const catalogue = createCatalogue({ maxPins: pins, seed: 1, showUnlistedPins: true })
for (let n = 0; n < pins; n++) catalogue.intern(asId<PinId>(`pin-${n}`))
const worths = { closed: new Float64Array(20), open: new Float64Array(20), among: new Float64Array(20) }

/** The n-th source: some of the pins, each once, with falling scores down to the smallest. */
function aSource(n: number, count: number, scale: EnabledSource['scale']): EnabledSource {
  const hits = createHits(20)
  for (let row = 0; row < pins && hits.count < count; row++) {
    if (mix32(n * 131 + row) % 3 !== 0) continue
    hits.rows[hits.count] = row
    hits.scores[hits.count] = 0.5 * 10 ** -(hits.count++ * (1 + (n % 3)))
  }
  const source = { name: `source-${n}`, query() {}, bytes: () => 0, save() {}, load() {} }
  return { source, hits, share: 1, scale, deadlineMs: 1e9, worths }
}

test('law: candidates are scored as the stack scores their features, to the last bit', () => {
  const counts = fc.array(fc.tuple(fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(counts, fc.nat(100), fc.nat(1_000), (given, recentCount, salt) => {
      const enabled = given.map(([count, isShare], n) => aSource(n, count, isShare ? 'probability' : 'relative'))
      const board = createScoreBoard(catalogue)
      const rates = createRates()
      for (let n = 0; n < salt; n++) rates.fold(1 + (mix32(n) % pins), startMs + n * 60_000)
      const features = createFeatures({ enabled, catalogue, board, rates })
      const stack = createStack(features.width)
      for (let j = 0; j < features.width; j++) stack.weights[j] = mix32(j + salt) / 2 ** 31 - 1
      // One of the sources did not answer this request.
      const answers = enabled.filter((_, n) => n !== salt % 5)
      mixHits(answers, { board, evidence: 0.5 })
      features.fill(answers, recentCount)
      const plain = new Float64Array(features.count)
      stack.score(features, plain)
      const scores = new Float64Array(pins)
      features.score(answers, { recentCount, weights: stack.weights, scores })
      expect(scores.subarray(0, features.count)).toEqual(plain)
    }),
  )
})
