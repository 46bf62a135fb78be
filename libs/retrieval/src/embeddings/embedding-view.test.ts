import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { SnapshotError } from '@freshet/columns/errors'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { createEmbeddingView } from './embedding-view.ts'

const aView = (dimensions = 0): ReturnType<typeof createEmbeddingView> => createEmbeddingView({ dimensions })
const all = { accept: () => true, due: () => false }

describe('embedding view', () => {
  it('finds the nearest by cosine, whatever the lengths of the vectors', () => {
    const view = aView()
    view.set(0, Float32Array.of(10, 0))
    view.set(1, Float32Array.of(0.1, 0.1))
    view.set(2, Float32Array.of(0, 3))
    const { rows, scores } = view.search(Float32Array.of(1, 0), 2, all)
    expect([...rows]).toEqual([0, 1])
    expect(scores[0]).toBeCloseTo(1)
    expect(scores[1]).toBeCloseTo(Math.SQRT1_2)
  })

  it('leaves malformed vectors out, counts them by reason, and keeps what the pin had', () => {
    const view = aView(2)
    expect(view.set(0, Float32Array.of(1, 0))).toBeNull()
    expect(view.set(0, Float32Array.of(1, 0, 0))).toBe('EMBEDDING_WRONG_WIDTH')
    expect(view.set(0, new Float32Array(0))).toBe('EMBEDDING_WRONG_WIDTH')
    expect(view.set(0, Float32Array.of(NaN, 0))).toBe('EMBEDDING_NOT_FINITE')
    expect(view.set(0, Float32Array.of(0, -Infinity))).toBe('EMBEDDING_NOT_FINITE')
    expect(view.set(0, Float32Array.of(0, 0))).toBe('EMBEDDING_ZERO_NORM')
    expect(view.counts()).toEqual({
      vectors: 1,
      width: 2,
      otherWidths: 0,
      EMBEDDING_WRONG_WIDTH: 2,
      EMBEDDING_NOT_FINITE: 2,
      EMBEDDING_ZERO_NORM: 1,
    })
    expect([...(view.get(0) ?? [])]).toEqual([1, 0])
  })

  it('takes its width from the vectors, or from the configuration', () => {
    expect(aView(3).set(0, Float32Array.of(1, 0))).toBe('EMBEDDING_WRONG_WIDTH')
    const view = aView()
    expect(view.set(0, Float32Array.of(NaN))).toBe('EMBEDDING_NOT_FINITE')
    expect(view.set(0, Float32Array.of(1, 2))).toBeNull()
    expect(view.dimensions).toBe(2)
  })

  it('never compares vectors of two spaces, and searches the new space once most pins have a vector of it', () => {
    const view = aView()
    for (let row = 0; row < 5; row++) view.set(row, Float32Array.of(1, row), 'old')
    view.set(0, Float32Array.of(1, 0), 'new')
    view.set(5, Float32Array.of(1, 0), 'new')
    const nearest = (): number[] => [...view.search(Float32Array.of(1, 0), 9, all).rows].sort((a, b) => a - b)
    expect(nearest()).toEqual([1, 2, 3, 4])
    expect(view.get(0)).toBeNull()
    view.set(1, Float32Array.of(1, 1), 'new')
    view.set(2, Float32Array.of(1, 1), 'new')
    expect(nearest()).toEqual([0, 1, 2, 5])
    const restored = aView()
    restored.load(decodeSnapshot(encodeSnapshot((writer) => view.save(writer))))
    expect(restored.counts()).toEqual(view.counts())
    expect([...(restored.get(5) ?? [])]).toEqual([1, 0])
    restored.set(3, Float32Array.of(1, 1), 'third')
    restored.set(3, Float32Array.of(1, 1), 'new')
    expect(restored.counts()).toMatchObject({ vectors: 5, otherWidths: 1 })
  })

  it('forgets a removed pin, and takes it again', () => {
    const view = aView()
    view.set(5, Float32Array.of(1, 0))
    view.remove(5)
    view.remove(6)
    expect(view.get(5)).toBeNull()
    expect(view.size).toBe(0)
    expect([...view.search(Float32Array.of(1, 0), 3, all).rows]).toEqual([])
    view.set(5, Float32Array.of(0, 1))
    expect([...view.search(Float32Array.of(1, 0), 3, all).rows]).toEqual([5])
  })

  it('gives back from a snapshot what was saved, and refuses a broken one', () => {
    const view = aView()
    for (let row = 0; row < 3_000; row += 7) view.set(row, Float32Array.of(Math.sin(row), Math.cos(row), 0.5))
    view.set(1, Float32Array.of(NaN, 0, 0))
    const bytes = encodeSnapshot((writer) => view.save(writer))
    const restored = aView()
    restored.set(2, Float32Array.of(1, 1))
    restored.load(decodeSnapshot(bytes))
    expect(restored.counts()).toEqual(view.counts())
    expect(restored.get(2)).toBeNull()
    expect(restored.get(2_100)).toEqual(view.get(2_100))
    const query = Float32Array.of(0.6, 0.8, 0)
    expect(restored.search(query, 10, all)).toEqual(view.search(query, 10, all))
    const wrong = encodeSnapshot((writer) => {
      writer.json('groups', [{ space: '', dimensions: 3 }])
      writer.json('refused', {})
      writer.under('0').u8('index', Uint8Array.of(1, 2, 3))
    })
    expect(() => aView().load(decodeSnapshot(wrong))).toThrow(SnapshotError)
  })

  it('A11: law: searched is the width of most vectors, whatever came first, and a snapshot does not change that', () => {
    const step = fc.record({ row: fc.nat(11), width: fc.constantFrom(0, 2, 3, 5) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let view = aView()
        const known = new Map<number, number>()
        steps.forEach(({ row, width }, n) => {
          if (width === 0) {
            view.remove(row)
            known.delete(row)
          } else {
            view.set(
              row,
              Float32Array.from({ length: width }, (_, i) => 1 + ((row + i) % 4)),
            )
            known.set(row, width)
          }
          if (n % 5 === 4) {
            const bytes = encodeSnapshot((writer) => view.save(writer))
            view = aView()
            view.load(decodeSnapshot(bytes))
          }
          const sizes = [2, 3, 5].map((each) => [...known.values()].filter((other) => other === each).length)
          const most = Math.max(...sizes)
          const agreed = most === 0 ? 0 : [2, 3, 5][sizes.indexOf(most)]!
          expect([view.dimensions, view.size]).toEqual([agreed, most])
          for (let each = 0; each < 12; each++)
            expect(view.get(each) !== null).toBe(most > 0 && known.get(each) === agreed)
          if (most === 0) return
          const { rows } = view.search(new Float32Array(agreed).fill(agreed ** -0.5), 20, all)
          expect([...rows].sort((a, b) => a - b)).toEqual(
            [...known].flatMap(([each, of]) => (of === agreed ? [each] : [])).sort((a, b) => a - b),
          )
        })
      }),
      { endOnFailure: true },
    )
  })

  it('A11: widths that are many take room from each other, not from the width of most vectors', () => {
    const view = aView()
    for (let width = 1; width <= 6; width++) view.set(width, new Float32Array(width).fill(1))
    for (let row = 10; row < 20; row++) view.set(row, Float32Array.of(1, 2, 3, 4, 5, 6, 7, row))
    for (let width = 11; width <= 16; width++) view.set(100 + width, new Float32Array(width).fill(1))
    expect(view.counts()).toMatchObject({ vectors: 10, width: 8, otherWidths: 3 })
  })

  it('restores an empty snapshot as an empty view', () => {
    const bytes = encodeSnapshot((writer) => aView().save(writer))
    const restored = aView()
    restored.set(1, Float32Array.of(1))
    restored.load(decodeSnapshot(bytes))
    expect(restored.size).toBe(0)
    expect(restored.set(1, Float32Array.of(1, 1))).toBeNull()
  })
})
