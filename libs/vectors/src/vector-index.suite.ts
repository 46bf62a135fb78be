import type { VectorHits, VectorIndex } from '@freshet/domain/vector-index'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'

/** How to make an index, and what share of the true best 100 of 5,000 rows it promises. */
export interface VectorIndexMaker {
  readonly name: string
  make(dimensions: number): VectorIndex
  readonly recall: number
}

/** The contract of the VectorIndex port, against a full scan in doubles. */
export function vectorIndexSuite({ name, make, recall }: VectorIndexMaker): void {
  describe(`VectorIndex contract: ${name}`, () => {
    it('finds nothing in an empty index', () => {
      const index = make(4)
      expect(index.size).toBe(0)
      expect(rowsOf(index.search(Float32Array.of(1, 2, 3, 4), 10))).toEqual([])
    })

    it('orders by dot product, best first, and gives the products', () => {
      const index = make(2)
      index.upsert(7, Float32Array.of(1, 0))
      index.upsert(3, Float32Array.of(0, 2))
      index.upsert(5, Float32Array.of(-1, -1))
      const hits = index.search(Float32Array.of(1, 1), 3)
      expect(rowsOf(hits)).toEqual([3, 7, 5])
      expect([...hits.scores]).toEqual([2, 1, -2])
      expect(rowsOf(index.search(Float32Array.of(1, 1), 2))).toEqual([3, 7])
    })

    it('gives the smaller row first among equals, also at the cut', () => {
      const index = make(3)
      for (const row of [9, 4, 1, 8, 2]) index.upsert(row, Float32Array.of(1, 1, 1))
      expect(rowsOf(index.search(Float32Array.of(1, 0, 0), 3))).toEqual([1, 2, 4])
    })

    it('keeps zero vectors and answers a zero query: every score is 0', () => {
      const index = make(3)
      index.upsert(2, Float32Array.of(0, 0, 0))
      index.upsert(1, Float32Array.of(-1, 0, 0))
      index.upsert(0, Float32Array.of(1, 0, 0))
      expect(rowsOf(index.search(Float32Array.of(1, 0, 0), 3))).toEqual([0, 2, 1])
      const hits = index.search(new Float32Array(3), 3)
      expect(rowsOf(hits)).toEqual([0, 1, 2])
      expect([...hits.scores]).toEqual([0, 0, 0])
    })

    it('breaks ties by row among thousands, whatever order they came in', () => {
      const index = make(5)
      const random = mulberry32(2)
      for (let row = 2_999; row >= 0; row--) index.upsert(row, gaussian(random, 5))
      expect(rowsOf(index.search(new Float32Array(5), 30))).toEqual([...Array(30).keys()])
    })

    it('is right for a query whose many small components count as much as its large one', () => {
      const random = mulberry32(13)
      const query = new Float32Array(1_000).fill(0.49).fill(127, 0, 1)
      const vectors = Array.from({ length: 2_000 }, () =>
        new Float32Array(1_000).map(() => (random() < 0.5 ? -1 : 1)).fill(1, 0, 1),
      )
      const index = make(1_000)
      vectors.forEach((vector, row) => index.upsert(row, vector))
      if (recall === 1) expectTrueBest(index, vectors, query, 10)
    })

    it('replaces the vector of a row that it has', () => {
      const index = make(2)
      index.upsert(1, Float32Array.of(1, 0))
      index.upsert(2, Float32Array.of(0.5, 0))
      index.upsert(1, Float32Array.of(0, 1))
      expect(index.size).toBe(2)
      expect(rowsOf(index.search(Float32Array.of(1, 0), 2))).toEqual([2, 1])
    })

    it('forgets a removed row, takes it again, and ignores the removal of an unknown one', () => {
      const index = make(2)
      for (let row = 0; row < 200; row++) index.upsert(row, Float32Array.of(row, 1))
      index.remove(199)
      index.remove(199)
      index.remove(5_000_000)
      expect(index.size).toBe(199)
      expect(rowsOf(index.search(Float32Array.of(1, 0), 2))).toEqual([198, 197])
      index.upsert(199, Float32Array.of(300, 1))
      expect(rowsOf(index.search(Float32Array.of(1, 0), 2))).toEqual([199, 198])
    })

    it('gives all rows when k is larger than the index, none when it is 0', () => {
      const index = make(2)
      for (let row = 0; row < 150; row++) index.upsert(row, Float32Array.of(row, 0))
      expect(rowsOf(index.search(Float32Array.of(-1, 0), 1_000_000))).toEqual([...Array(150).keys()])
      expect(rowsOf(index.search(Float32Array.of(-1, 0), 0))).toEqual([])
    })

    it('takes row numbers far apart', () => {
      const index = make(1)
      for (const row of [0, 70_000, 2 ** 28 + 1, 2 ** 31 - 1]) index.upsert(row, Float32Array.of(row / 2 ** 31))
      expect(rowsOf(index.search(Float32Array.of(1), 2))).toEqual([2 ** 31 - 1, 2 ** 28 + 1])
      index.remove(2 ** 31 - 1)
      expect(rowsOf(index.search(Float32Array.of(1), 1))).toEqual([2 ** 28 + 1])
    })

    it('holds thousands of equal vectors', () => {
      const index = make(8)
      const vector = Float32Array.from({ length: 8 }, (_, i) => i - 3)
      for (let row = 2_999; row >= 0; row--) index.upsert(row, vector)
      const hits = index.search(vector, 50)
      expect([...hits.scores]).toEqual(Array(50).fill(44))
      if (recall === 1) expect(rowsOf(hits)).toEqual([...Array(50).keys()])
      for (let row = 0; row < 2_990; row++) index.remove(row)
      expect(rowsOf(index.search(vector, 50))).toEqual([2990, 2991, 2992, 2993, 2994, 2995, 2996, 2997, 2998, 2999])
    })

    it('fills up to k from the rows that the filter lets through', () => {
      const index = make(16)
      const random = mulberry32(3)
      for (let row = 0; row < 4_000; row++) index.upsert(row, gaussian(random, 16))
      const query = gaussian(random, 16)
      expect(index.search(query, 100, { accept: (row) => row % 2 === 1 }).rows).toHaveLength(100)
      const few = index.search(query, 10, { accept: (row) => row % 1_000 === 7 })
      expect(rowsOf(few).sort((a, b) => a - b)).toEqual([7, 1007, 2007, 3007])
      expect(rowsOf(index.search(query, 10, { accept: () => false }))).toEqual([])
    })

    it('breaks off when `due` returns true, with the best of what it has read', () => {
      const index = make(8)
      const random = mulberry32(14)
      const vectors = Array.from({ length: 20_000 }, () => gaussian(random, 8))
      vectors.forEach((vector, row) => index.upsert(row, vector))
      const query = gaussian(random, 8)
      const scoreOf = (row: number) => product(vectors[row]!, query)
      for (const stopAfter of [1, 6_000, Infinity]) {
        const looks: number[] = []
        const read = () => looks.reduce((sum, rows) => sum + rows, 0)
        const hits = index.search(query, 20, {
          due: (rows) => {
            // It reads nothing after that.
            expect(read()).toBeLessThan(stopAfter)
            looks.push(rows)
            return read() >= stopAfter
          },
        })
        expect(Math.max(...looks)).toBeLessThanOrEqual(4_096)
        expect(read()).toBeLessThanOrEqual(20_000)
        if (stopAfter < Infinity) expect(read()).toBeLessThan(stopAfter + 4_096)
        else if (recall === 1) expect(read()).toBe(20_000)
        expect(hits.rows).toHaveLength(Math.min(20, read()))
        expect([...hits.scores]).toEqual([...hits.scores].sort((a, b) => b - a))
        hits.rows.forEach((row, i) => expect(hits.scores[i]).toBeCloseTo(scoreOf(row), 4))
      }
    })

    it('asks the filter at most once about a row', () => {
      const index = make(8)
      const random = mulberry32(4)
      for (let row = 0; row < 3_000; row++) index.upsert(row, gaussian(random, 8))
      const asked: number[] = []
      index.search(gaussian(random, 8), 20, { accept: (row) => asked.push(row) % 3 === 0 })
      expect(new Set(asked).size).toBe(asked.length)
    })

    it('rethrows what a filter throws, and works afterwards', () => {
      const index = make(2)
      index.upsert(1, Float32Array.of(1, 1))
      const boom = () => {
        throw new TypeError('boom')
      }
      expect(() => index.search(Float32Array.of(1, 1), 1, { accept: boom })).toThrow(new TypeError('boom'))
      expect(rowsOf(index.search(Float32Array.of(1, 1), 1))).toEqual([1])
    })

    it('refuses a filter that searches or changes the index, which stays as it was', () => {
      const index = make(1)
      index.upsert(1, Float32Array.of(1))
      const query = Float32Array.of(1)
      for (const meddle of [
        () => index.search(query, 1),
        () => index.upsert(1, Float32Array.of(-5)),
        () => index.upsert(2, query),
        () => index.remove(1),
      ])
        expect(() => index.search(query, 1, { accept: () => (meddle(), true) })).toThrow(/filter may neither/)
      expect([...index.search(query, 5).scores]).toEqual([1])
    })

    it('names what is wrong with a vector, and stays as it was', () => {
      const index = make(3)
      index.upsert(1, Float32Array.of(1, 2, 3))
      const cases: [number[], RegExp][] = [
        [[1, 2], /2 dimensions.*3/],
        [[1, 2, 3, 4], /4 dimensions.*3/],
        [[], /0 dimensions.*3/],
        [[1, NaN, 3], /component 1 .*NaN/],
        [[1, 2, Infinity], /component 2 .*Infinity/],
        [[-Infinity, 2, 0], /component 0 .*-Infinity/],
        [[1e30, 0, 0], /component 0 .*1e17/],
      ]
      for (const [components, message] of cases) {
        const vector = Float32Array.from(components)
        for (const act of [() => index.upsert(1, vector), () => index.search(vector, 1)]) {
          expect(act).toThrow(RangeError)
          expect(act).toThrow(message)
        }
      }
      expect(index.size).toBe(1)
      expect([...index.search(Float32Array.of(1, 0, 0), 5).scores]).toEqual([1])
    })

    it('refuses invalid rows and counts', () => {
      const index = make(1)
      for (const row of [-1, 0.5, NaN, 2 ** 31]) expect(() => index.upsert(row, Float32Array.of(1))).toThrow(RangeError)
      for (const k of [-1, 1.5, NaN]) expect(() => index.search(Float32Array.of(1), k)).toThrow(RangeError)
      expect(index.size).toBe(0)
    })

    it('copies vectors in and hits out', () => {
      const index = make(2)
      const vector = Float32Array.of(1, 2)
      index.upsert(1, vector)
      vector.fill(9)
      const hits = index.search(Float32Array.of(1, 1), 1)
      index.upsert(2, Float32Array.of(50, 50))
      index.search(Float32Array.of(1, 1), 2)
      expect([rowsOf(hits), [...hits.scores]]).toEqual([[1], [3]])
    })

    it.each([1, 3, 15, 16, 17, 64, 100, 300])('is right in %i dimensions', (dimensions) => {
      const random = mulberry32(dimensions)
      const vectors = Array.from({ length: 300 }, () => gaussian(random, dimensions))
      const index = make(dimensions)
      vectors.forEach((vector, row) => index.upsert(row, vector))
      expectTrueBest(index, vectors, gaussian(random, dimensions), 25)
    })

    it.each([1e-12, 1, 1e12])('is right for lengths that differ a million times around %d', (size) => {
      const random = mulberry32(11)
      const vectors = Array.from({ length: 400 }, () => {
        const length = size * 10 ** (random() * 6 - 3)
        return gaussian(random, 24).map((x) => x * length)
      })
      const index = make(24)
      vectors.forEach((vector, row) => index.upsert(row, vector))
      for (let i = 0; i < 5; i++) expectTrueBest(index, vectors, gaussian(random, 24), 30)
    })

    it('is right for sparse queries and vectors', () => {
      const random = mulberry32(12)
      const sparse = () => gaussian(random, 48).map((x) => (random() < 0.05 ? x : 0))
      const vectors = Array.from({ length: 400 }, sparse)
      const index = make(48)
      vectors.forEach((vector, row) => index.upsert(row, vector))
      for (let i = 0; i < 10; i++) expectTrueBest(index, vectors, sparse(), 20)
    })

    it.each(['clustered', 'shapeless', 'of uneven lengths'])('keeps its recall on %s data of 5,000 rows', (shape) => {
      const random = mulberry32(21)
      const centres = Array.from({ length: 40 }, () => gaussian(random, 32))
      const draw = () => {
        const vector = gaussian(random, 32)
        if (shape === 'shapeless') return vector
        if (shape === 'clustered') {
          const centre = centres[Math.floor(random() * 40)]!
          return vector.map((x, i) => centre[i]! + 0.5 * x)
        }
        const length = Math.exp(gaussian(random, 1)[0]!)
        return vector.map((x) => x * length)
      }
      const vectors = Array.from({ length: 5_000 }, draw)
      const index = make(32)
      vectors.forEach((vector, row) => index.upsert(row, vector))
      let found = 0
      for (let i = 0; i < 20; i++) {
        const query = draw()
        const best = new Set(reference(vectors, query).slice(0, 100))
        found += rowsOf(index.search(query, 100)).filter((row) => best.has(row)).length
      }
      expect(found / 2_000).toBeGreaterThanOrEqual(recall)
    })

    it('grows, empties and grows again', () => {
      const random = mulberry32(31)
      const index = make(20)
      for (let round = 0; round < 2; round++) {
        const vectors = Array.from({ length: 3_000 }, () => gaussian(random, 20))
        vectors.forEach((vector, row) => index.upsert(row, vector))
        expect(index.size).toBe(3_000)
        for (let row = 100; row < 3_000; row++) index.remove(row)
        expectTrueBest(index, vectors.slice(0, 100), gaussian(random, 20), 40)
        for (let row = 0; row < 100; row++) index.remove(row)
        expect(index.size).toBe(0)
        expect(rowsOf(index.search(gaussian(random, 20), 5))).toEqual([])
      }
    })

    it('answers as a map of vectors would, after any changes', () => {
      const vector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 })
      const change = fc.record({ row: fc.nat(60), vector: fc.option(vector, { freq: 3 }) })
      fc.assert(
        fc.property(fc.array(change, { maxLength: 300 }), vector, fc.nat(80), fc.nat(3), (changes, query, k, skip) => {
          const index = make(3)
          const model = new Map<number, number[]>()
          for (const { row, vector } of changes) {
            if (vector) index.upsert(row, Float32Array.from(vector))
            else index.remove(row)
            if (vector) model.set(row, vector)
            else model.delete(row)
          }
          const accept = (row: number) => row % 4 !== skip
          const expected = [...model]
            .filter(([row]) => accept(row))
            .map(([row, v]) => ({ row, score: v.reduce((sum, x, i) => sum + x * query[i]!, 0) }))
            .sort((a, b) => b.score - a.score || a.row - b.row)
            .slice(0, k)
          const hits = index.search(Float32Array.from(query), k, { accept })
          expect(index.size).toBe(model.size)
          expect(rowsOf(hits)).toEqual(expected.map(({ row }) => row))
          expect([...hits.scores].map((score) => score + 0)).toEqual(expected.map(({ score }) => score + 0))
        }),
        { seed: 5, numRuns: 150 },
      )
    })

    it('gives the same answer to the same changes and query', () => {
      const answer = () => {
        const random = mulberry32(41)
        const index = make(12)
        for (let i = 0; i < 4_000; i++) {
          const row = Math.floor(random() * 2_500)
          if (random() < 0.2) index.remove(row)
          else index.upsert(row, gaussian(random, 12))
        }
        const hits = index.search(gaussian(random, 12), 100)
        return [rowsOf(hits), [...hits.scores]]
      }
      expect(answer()).toEqual(answer())
    })
  })
}

function rowsOf(hits: VectorHits): number[] {
  return [...hits.rows]
}

function product(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0)
}

function reference(vectors: readonly Float32Array[], query: Float32Array): number[] {
  const scores = vectors.map((vector) => product(vector, query))
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
}

/** The scores found are the true best ones, and those of the rows found; rows whose scores differ by rounding may change places. */
function expectTrueBest(index: VectorIndex, vectors: readonly Float32Array[], query: Float32Array, k: number): void {
  const hits = index.search(query, k)
  const best = reference(vectors, query).slice(0, k)
  expect(hits.rows).toHaveLength(best.length)
  expect(new Set(hits.rows).size).toBe(best.length)
  best.forEach((row, i) => {
    const size =
      Math.hypot(...vectors[hits.rows[i]!]!) * Math.hypot(...query) +
      Math.hypot(...vectors[row]!) * Math.hypot(...query)
    expect(Math.abs(hits.scores[i]! - product(vectors[hits.rows[i]!]!, query))).toBeLessThanOrEqual(size * 1e-5)
    expect(Math.abs(hits.scores[i]! - product(vectors[row]!, query))).toBeLessThanOrEqual(size * 1e-5)
  })
}
