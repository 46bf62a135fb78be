import { expect, test } from 'vitest'

import type { Hits } from '@freshet/columns/score-board'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import type { SourceQuery } from '../../source.ts'
import { createVariants, type Variants } from './variants.ts'

const query = {} as SourceQuery
const taken = 7

/** Variants that rank the taken pin at these ranks; -1: they do not find it. */
function variantsAt(ranks: readonly number[]): Variants {
  return createVariants(ranks.length, (variant, _query, hits: Hits) => {
    const rank = ranks[variant] ?? -1
    hits.count = 20
    for (let i = 0; i < 20; i++) hits.rows[i] = i === rank ? taken : 100 + i
  })
}

function teach(variants: Variants, ranks: readonly number[], examples: number): void {
  for (let n = 0; n < examples; n++) {
    const example = new Int32Array(variants.width)
    variants.examine({ query, row: taken, rank: ranks[variants.chosen] ?? -1 }, example)
    variants.learn(example)
  }
}

test('A29: the first variant is current until another has ranked the taken pins higher', () => {
  const ranks = [9, -1, 2, 5]
  const variants = variantsAt(ranks)
  teach(variants, ranks, 20)
  expect(variants.chosen).toBe(0)
  teach(variants, ranks, 400)
  expect(variants.chosen).toBe(2)
})

test('what is no better is not used', () => {
  const ranks = [3, 3, 4]
  const variants = variantsAt(ranks)
  teach(variants, ranks, 1_000)
  expect(variants.chosen).toBe(0)
})

test('restored variants continue in the same way', () => {
  const ranks = [9, 2]
  const [one, other] = [variantsAt(ranks), variantsAt(ranks)]
  teach(one, ranks, 10)
  other.load(decodeSnapshot(encodeSnapshot((writer) => one.save(writer))))
  for (const each of [one, other]) teach(each, ranks, 14)
  expect(other.chosen).toBe(one.chosen)
  expect(one.chosen).toBe(1)
})
