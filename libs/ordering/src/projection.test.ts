import { mulberry32 } from '@freshet/domain/mulberry32'
import { expect, test } from 'vitest'
import { addDirection, createProjection, int8Length, signClass } from './projection.ts'

const random = mulberry32(9)
const draw = (width: number) => Float32Array.from({ length: width }, () => random() - 0.5)
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

test('a projection keeps cosines, about as well as its width promises', () => {
  const [given, width] = [128, 32]
  const project = createProjection(given, width, 1)
  let squares = 0
  const pairs = 300
  for (let n = 0; n < pairs; n++) {
    const base = draw(given)
    const [a, b] = [draw(given), draw(given)].map((noise) => noise.map((value, i) => value + (n / pairs) * base[i]!))
    const into = new Int8Array(2 * width)
    project(a!, into, 0)
    project(b!, into, width)
    expect(Math.sqrt(dot(into.subarray(0, width), into.subarray(0, width)))).toBeCloseTo(int8Length, -1)
    squares += (cosine(into.subarray(0, width), into.subarray(width)) - cosine(a!, b!)) ** 2
  }
  expect(Math.sqrt(squares / pairs)).toBeLessThan(1.2 / Math.sqrt(width))
})

test('a short vector keeps its numbers, and a vector of zeros stays zero', () => {
  const into = new Int8Array(4).fill(1)
  createProjection(2, 4, 1)(Float32Array.of(3, 4), into, 0)
  expect(Array.from(into)).toEqual([76, 102, 0, 0])
  createProjection(64, 4, 1)(new Float32Array(64), into, 0)
  expect(Array.from(into)).toEqual([0, 0, 0, 0])
})

test('sums of directions are alike if they share keys', () => {
  const sumOf = (...keys: number[]) => {
    const into = new Float32Array(512)
    for (const key of keys) addDirection(key, into, 0, 512)
    return into
  }
  expect(cosine(sumOf(1, 2), sumOf(1, 3))).toBeCloseTo(0.5, 1)
  expect(cosine(sumOf(1), sumOf(2))).toBeCloseTo(0, 1)
  expect(sumOf(7)).toEqual(sumOf(7))
})

test('vectors of about the same direction share a class, opposite ones do not', () => {
  const vector = Int8Array.from([50, -60, 70, -9, 80, 20])
  expect(signClass(vector, 0, 6)).toBe(
    signClass(
      vector.map((value) => value + 5),
      0,
      6,
    ),
  )
  expect(signClass(vector, 0, 6)).not.toBe(
    signClass(
      vector.map((value) => -value),
      0,
      6,
    ),
  )
  expect(signClass(new Int8Array(6).fill(-1), 0, 6)).toBeGreaterThan(0)
})
