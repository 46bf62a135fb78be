import { mix32 } from '@freshet/domain/hash'
import { expect, test } from 'vitest'

import { encodeSnapshot, decodeSnapshot } from '@freshet/columns/snapshot'
import { createStack, fewestExamples, type FeatureRows, type Stack } from './stack.ts'

const width = 4
const count = 60

/** The n-th query: sixty candidates with random features; the second feature decides which one the user takes. */
function question(n: number): { readonly rows: FeatureRows; readonly taken: number } {
  const features = Float64Array.from({ length: count * width }, (_, i) => mix32(n * 977 + i) / 2 ** 32)
  const base = Float64Array.from({ length: count }, (_, i) => -mix32(n * 31 + i * 7) / 2 ** 32)
  let taken = 0
  for (let i = 1; i < count; i++) if ((features[i * width + 1] ?? 0) > (features[taken * width + 1] ?? 0)) taken = i
  return { rows: { count, width, features, base }, taken }
}

function example(stack: Stack, n: number, taken?: number): Int32Array {
  const { rows, taken: right } = question(n)
  const into = new Int32Array(stack.exampleWidth)
  stack.examine(rows, taken ?? right, into)
  return into
}

function meanRank(stack: Stack, from: number): number {
  let sum = 0
  for (let n = from; n < from + 50; n++) {
    const { rows, taken } = question(n)
    const scores = new Float64Array(count)
    stack.score(rows, scores)
    sum += scores.filter((score) => score > (scores[taken] ?? 0)).length
  }
  return sum / 50
}

test('A29: learns within a hundred training examples which feature decides', () => {
  const stack = createStack(width)
  const before = meanRank(stack, 1_000)
  for (let n = 0; n < 100; n++) stack.learn(example(stack, n))
  expect(before).toBeGreaterThan(20)
  expect(meanRank(stack, 1_000)).toBeLessThan(5)
  expect(stack.isTrusted).toBe(true)
})

test('A29: is not trusted before it has seen enough, nor while what it has learned is worse than the base', () => {
  const stack = createStack(width)
  for (let n = 0; n < fewestExamples - 1; n++) stack.learn(example(stack, n))
  expect(stack.isTrusted).toBe(false)
  const misled = createStack(width)
  // The user takes what the base ranks first, and the features do not predict it.
  for (let n = 0; n < 100; n++) {
    const { rows } = question(n)
    let first = 0
    for (let i = 1; i < count; i++) if ((rows.base[i] ?? 0) > (rows.base[first] ?? 0)) first = i
    misled.learn(example(misled, n, first))
  }
  expect(misled.isTrusted).toBe(false)
})

test('law: two stacks that learn the same examples are equal, also after a snapshot, and an example without a taken pin teaches nothing', () => {
  const [one, other] = [createStack(width), createStack(width)]
  for (let n = 0; n < 40; n++) {
    const numbers = example(one, n)
    one.learn(numbers)
    other.learn(numbers)
    other.learn(example(other, n, -1))
  }
  const restored = createStack(width)
  restored.load(decodeSnapshot(encodeSnapshot((writer) => one.save(writer))))
  for (const stack of [other, restored]) {
    expect(example(stack, 77)).toEqual(example(one, 77))
    expect(stack.isTrusted).toBe(one.isTrusted)
  }
})

test('law: a training example is the gradient and the curvature of all features, to the last bit, though it skips zeros', () => {
  for (let n = 0; n < 20; n++) {
    const { rows, taken } = question(n)
    for (let i = 0; i < rows.features.length; i++) if (mix32(n * 13 + i) % 3 !== 0) rows.features[i] = 0
    const odds = Float64Array.from(rows.base, (score) => Math.exp(score - Math.max(...rows.base)))
    const total = odds.reduce((sum, each) => sum + each, 0)
    const gradient = new Float64Array(width)
    const squares = new Float64Array(width * width)
    const means = new Float64Array(width)
    let likelyTotal = 0
    for (let i = 0; i < count; i++) {
      const likely = odds[i]! / total
      const at = i * width
      likelyTotal += likely
      for (let j = 0; j < width; j++) {
        means[j] = means[j]! + likely * rows.features[at + j]!
        for (let k = 0; k <= j; k++)
          squares[j * width + k] = squares[j * width + k]! + likely * rows.features[at + j]! * rows.features[at + k]!
      }
    }
    for (let j = 0; j < width; j++) gradient[j] = rows.features[taken * width + j]! - means[j]!
    const curvature: number[] = []
    for (let j = 0; j < width; j++)
      for (let k = 0; k <= j; k++) curvature.push(squares[j * width + k]! - (means[j]! * means[k]!) / likelyTotal)
    const stack = createStack(width)
    const into = new Int32Array(stack.exampleWidth)
    stack.examine(rows, taken, into)
    const numbers = new Float32Array(into.buffer)
    expect([...numbers.subarray(0, -3)]).toEqual([...Float32Array.of(...gradient, ...curvature)])
  }
})
