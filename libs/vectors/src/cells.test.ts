import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCells } from './cells.ts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'
import { createVectorStore } from './vector-store.ts'

const dimensions = 5
const maxRows = 32

describe('cells', () => {
  it('know the mean and the deviation of their rows, and keep to their bounds, after any changes', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0, max: 0.6 }),
        (seed, steps, removals) => {
          const random = mulberry32(seed)
          const store = createVectorStore(dimensions)
          const cells = createCells(store, { maxRows })
          const rows = new Set<number>()
          for (let step = 0; step < steps; step++) {
            const row = Math.floor(random() * 300)
            const slot = store.slotOf(row)
            if (random() < removals) {
              if (slot >= 0) cells.remove(slot)
              rows.delete(row)
              continue
            }
            const vector = gaussian(random, dimensions)
            if (slot >= 0) cells.replace(slot, vector)
            else cells.insert(row, vector)
            rows.add(row)
            cells.tend()
          }

          const query = gaussian(random, dimensions)
          let scores = new Float32Array(0)
          store.search(query, 1, undefined, () => {
            scores = cells.scores().slice()
          })
          const seen: number[] = []
          for (let cell = 0; cell < cells.count; cell++) {
            const vectors: Float32Array[] = []
            store.eachSlot(cells.chainOf(cell), (slot) => {
              seen.push(store.rowAt(slot))
              expect(store.slotOf(store.rowAt(slot))).toBe(slot)
              vectors.push(store.vectorAt(slot).slice())
            })
            expect(vectors).toHaveLength(cells.countOf(cell))
            expect(vectors.length).toBeLessThanOrEqual(maxRows)
            if (vectors.length === 0) continue
            const mean = query.map((_, d) => vectors.reduce((sum, v) => sum + v[d]!, 0) / vectors.length)
            const spread = vectors.reduce((sum, v) => sum + v.reduce((s, x, d) => s + (x - mean[d]!) ** 2, 0), 0)
            const score = mean.reduce((sum, x, d) => sum + x * query[d]!, 0)
            expect(Math.abs(scores[cell]! - score)).toBeLessThan(0.03 * Math.hypot(...mean) * Math.hypot(...query))
            expect(cells.deviations()[cell]).toBeCloseTo(Math.sqrt(spread / vectors.length / dimensions), 4)
          }
          expect(seen.sort((a, b) => a - b)).toEqual([...rows].sort((a, b) => a - b))
        },
      ),
      { seed: 11, numRuns: 60 },
    )
  })

  it('re-seat rows that were in the wrong cell for what came later', () => {
    const random = mulberry32(8)
    const store = createVectorStore(2)
    const cells = createCells(store, { maxRows })
    // One cloud first, then a second that takes over: tending alone must part them.
    for (let row = 0; row < 400; row++)
      cells.insert(
        row,
        gaussian(random, 2).map((x) => x + (row < 40 ? 0 : 30)),
      )
    for (let i = 0; i < 2_000; i++) cells.tend()
    for (let cell = 0; cell < cells.count; cell++) {
      const clouds = new Set<boolean>()
      store.eachSlot(cells.chainOf(cell), (slot) => clouds.add(store.rowAt(slot) < 40))
      expect(clouds.size).toBeLessThanOrEqual(1)
    }
  })
})
