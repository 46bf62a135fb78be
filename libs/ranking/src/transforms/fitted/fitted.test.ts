import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categories, indices, numbers, sequences, vectors } from '../../plan/testing.ts'
import { fitted } from '../testing.ts'

describe('standardise', () => {
  it('uses mean and standard deviation of the training rows; missing numbers do not count', () => {
    const { state, on } = fitted('standardise', {}, [numbers([1, 3, null, 5, 7])])
    expect(state).toEqual({ means: [4], deviations: [Math.sqrt(5)] })
    expect(on(numbers([4, null]))).toEqual([0, null])
    expect(on(numbers([4 + Math.sqrt(5)]))[0]).toBeCloseTo(1, 6)
  })

  it('counts a row of weight 3 as three rows', () => {
    const weighted = fitted('standardise', {}, [numbers([1, 5])], { weights: [3, 1] }).state
    expect(weighted).toEqual(fitted('standardise', {}, [numbers([1, 1, 1, 5])]).state)
  })

  it('divides numbers that never vary, or of which none is known, by 1', () => {
    expect(
      fitted('standardise', {}, [
        vectors([
          [2, null],
          [2, null],
        ]),
      ]).on(vectors([[3, 5]])),
    ).toEqual([[1, 5]])
  })

  it('gives the training rows mean 0 and deviation 1', () => {
    const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 50 })
    fc.assert(
      fc.property(values, (given) => {
        fc.pre(new Set(given).size > 1)
        const scaled = fitted('standardise', {}, [numbers(given)]).on(numbers(given)) as readonly number[]
        const mean = scaled.reduce((sum, x) => sum + x, 0) / given.length
        const squares = scaled.reduce((sum, x) => sum + (x - mean) ** 2, 0)
        expect(mean).toBeCloseTo(0, 4)
        expect(squares / given.length).toBeCloseTo(1, 4)
      }),
    )
  })
})

describe('quantiles', () => {
  it('give each bucket as many training rows as another', () => {
    const values = numbers(Array.from({ length: 100 }, (_, at) => (at * 37) % 100))
    const buckets = fitted('quantiles', { buckets: 4 }, [values]).on(values).flat() as readonly number[]
    expect([0, 1, 2, 3].map((bucket) => buckets.filter((found) => found === bucket).length)).toEqual([25, 25, 25, 25])
  })

  it('share boundaries where a number is frequent', () => {
    const { state, on } = fitted('quantiles', { buckets: 4 }, [numbers([0, 0, 0, 0, 0, 0, 0, 1, null])])
    expect(state).toEqual({ boundaries: [] })
    expect(on(numbers([0, 5, null]))).toEqual([[0], [0], [-1]])
  })
})

describe('vocabulary', () => {
  it('gives frequent names their row, by frequency and then by name', () => {
    const { state, on } = fitted('vocabulary', { min_count: 2 }, [
      categories(['b', 'a', 'c', 'c', 'a', 'b', 'c', 'rare', null]),
    ])
    expect(state).toEqual({ names: ['c', 'a', 'b'] })
    expect(on(categories(['c', 'b', 'rare', 'new', null]))).toEqual([[1], [3], [0], [0], [-1]])
  })

  it('keeps the most frequent, and takes sequences', () => {
    const column = sequences([['a', 'b'], ['b'], []], categories)
    expect(fitted('vocabulary', { max: 1 }, [column]).on(column)).toEqual([[[0], [1]], [[1]], []])
  })
})

describe('target_rate', () => {
  it('starts at the overall mean and moves to that of the name', () => {
    const { on } = fitted('target_rate', { label: 'save', strength: 2 }, [categories(['a', 'a', 'b', null, 'b'])], {
      labels: { save: [1, 1, 0, 0, NaN] },
    })
    // Of the four known labels two are 1.
    expect(on(categories(['a', 'b', 'new', null]))).toEqual([0.75, Math.fround(1 / 3), 0.5, null])
  })
})

describe('semantic_ids', () => {
  /** Two groups of vectors far apart, each with two groups close together. */
  const groups = [
    [0, 0],
    [0, 1],
    [10, 0],
    [10, 1],
  ] as const
  const vectorsOf = (noise: number) =>
    vectors(Array.from({ length: 40 }, (_, at) => groups[at % 4]!.map((x) => x + noise * ((at % 7) - 3))))

  it('share the first code where vectors are alike, and differ in a later one', () => {
    const { on } = fitted('semantic_ids', { levels: 2, codes: 2 }, [vectorsOf(0.01)])
    const codes = on(vectors(groups.map((group) => [...group]))) as readonly (readonly [number, number])[]
    expect(codes[0]![0]).toBe(codes[1]![0])
    expect(codes[2]![0]).toBe(codes[3]![0])
    expect(codes[0]![0]).not.toBe(codes[2]![0])
    expect(codes[0]![1]).not.toBe(codes[1]![1])
    for (const [first, second] of codes) expect([first < 2, second >= 2 && second < 4]).toEqual([true, true])
  })

  it('leave less of a vector with every level', () => {
    const values = vectorsOf(0.3)
    const { state } = fitted('semantic_ids', { levels: 3, codes: 3 }, [values])
    const { levels } = state as { readonly levels: readonly (readonly (readonly number[])[])[] }
    const rows = fitted('semantic_ids', { levels: 3, codes: 3 }, [values]).on(values) as readonly (readonly number[])[]
    const left = [0, 1, 2, 3].map((depth) => {
      let sum = 0
      rows.forEach((codes, row) => {
        const vector = [...(values as { readonly values: Float32Array }).values.subarray(2 * row, 2 * row + 2)]
        for (let level = 0; level < depth; level++)
          levels[level]![codes[level]! - 3 * level]!.forEach((x, at) => (vector[at]! -= x))
        sum += vector.reduce((total, x) => total + x * x, 0)
      })
      return sum
    })
    for (let depth = 1; depth < left.length; depth++) expect(left[depth]).toBeLessThan(left[depth - 1]!)
  })

  it('depend on the seed only, have fewer codes than asked if there are fewer vectors, and none if there are none', () => {
    const fit = (seed: number) => fitted('semantic_ids', { levels: 1, codes: 4 }, [vectorsOf(0.3)], { seed }).state
    expect(fit(5)).toEqual(fit(5))
    const few = fitted('semantic_ids', { levels: 2, codes: 4 }, [
      vectors([
        [1, 1],
        [1, 1],
        [null, 1],
      ]),
    ])
    expect(
      few.on(
        vectors([
          [1, 1],
          [null, 2],
        ]),
      ),
    ).toEqual([
      [0, 4],
      [-1, -1],
    ])
    expect(fitted('semantic_ids', { levels: 1, codes: 2 }, [vectors([[null]])]).on(vectors([[1]]))).toEqual([[-1]])
  })
})

describe('platt and isotonic', () => {
  const scores = numbers([-2, -1, 0, 1, 2, null])
  const training = { labels: { save: [0, 0, 1, 0, 1, 1] } }

  it.each(['platt', 'isotonic'])('%s makes rising probabilities of scores; missing stays missing', (name) => {
    const { on } = fitted(name, { label: 'save' }, [scores], training)
    const [low, middle, high, missing] = on(numbers([-3, 0.5, 3, null])) as readonly number[]
    expect(low! >= 0 && low! < middle! && middle! < high! && high! <= 1).toBe(true)
    expect(missing).toBe(null)
  })

  it('isotonic has the mean label of each pool', () => {
    const { on } = fitted('isotonic', { label: 'save' }, [scores], training)
    expect(on(scores)).toEqual([0, 0, 0.5, 0.5, 1, null])
  })
})

describe('forest', () => {
  const count = 200
  const saves = numbers(Array.from({ length: count }, (_, at) => at % 20))
  const bucket = indices(Array.from({ length: count }, (_, at) => [at % 3]))
  const save = Array.from({ length: count }, (_, at) => Number(at % 20 > 9 && at % 3 === 1))

  it('learns a label from numbers and buckets', () => {
    const { on } = fitted('forest', { label: 'save', trees: 20, leaves: 4 }, [saves, bucket], { labels: { save } })
    const [high, small, other] = on(numbers([15, 3, 15]), indices([[1], [1], [0]])) as readonly number[]
    expect(high).toBeGreaterThan(0)
    expect(small).toBeLessThan(0)
    expect(other).toBeLessThan(0)
  })

  it("reads LightGBM's text from a file", () => {
    const folder = mkdtempSync(join(tmpdir(), 'forest-'))
    const file = join(folder, 'model.txt')
    const trained = fitted('forest', { label: 'save', trees: 3 }, [saves, bucket], { labels: { save } })
    writeFileSync(file, (trained.state as { readonly text: string }).text)
    const read = fitted('forest', { file }, [saves, bucket])
    rmSync(folder, { recursive: true })
    expect(read.on(saves, bucket)).toEqual(trained.on(saves, bucket))
  })

  it('needs either a file or a label', () => {
    expect(() => fitted('forest', {}, [saves])).toThrow('give either a file or a label')
    expect(() => fitted('forest', { file: 'a', label: 'b' }, [saves])).toThrow('give either a file or a label')
  })
})
