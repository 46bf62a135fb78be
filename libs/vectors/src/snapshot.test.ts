import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVectorIndex } from './adaptive-index.ts'
import { createApproximateIndex } from './approximate-index.ts'
import { createExactIndex } from './exact-index.ts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'
import { isVectorSnapshotError, type SavableVectorIndex } from './snapshot.ts'

const dimensions = 12

type Make = (saved?: Uint8Array, dimensions?: number) => SavableVectorIndex
const makers: Record<string, Make> = {
  exact: (saved, width = dimensions) => createExactIndex({ dimensions: width, ...(saved && { saved }) }),
  approximate: (saved, width = dimensions) =>
    createApproximateIndex({ dimensions: width, maxRowsPerCell: 64, ...(saved && { saved }) }),
  adaptive: (saved, width = dimensions) =>
    createVectorIndex({ dimensions: width, exactUpTo: 500, ...(saved && { saved }) }),
}

function filled(index: SavableVectorIndex, rows: number): SavableVectorIndex {
  const random = mulberry32(rows)
  for (let row = 0; row < rows; row++) index.upsert(row * 3, gaussian(random, dimensions))
  for (let row = 0; row < rows; row += 7) index.remove(row * 3)
  return index
}

function faultOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isVectorSnapshotError(error)) return error.fault
    throw error
  }
  return 'none'
}

describe.each(Object.entries(makers))('a saved index: %s', (_name, make) => {
  it.each([0, 1, 63, 2_000])('answers as the one it was saved from, with %i rows', (rows) => {
    const index = filled(make(), rows)
    const again = make(index.save())
    const random = mulberry32(5)
    expect(again.size).toBe(index.size)
    for (let i = 0; i < 10; i++) {
      const query = gaussian(random, dimensions)
      expect(again.search(query, 40)).toEqual(index.search(query, 40))
    }
    expect(again.save()).toEqual(index.save())
  })

  it('keeps adding and removing rows', () => {
    const index = filled(make(), 300)
    const again = make(index.save())
    const vector = new Float32Array(dimensions).fill(3)
    for (const one of [index, again]) {
      for (let row = 0; row < 100; row++) one.remove(row * 3)
      one.upsert(4, vector)
    }
    expect(again.search(vector, 1_000)).toEqual(index.search(vector, 1_000))
  })

  it('may be read by every other kind', () => {
    const saved = filled(make(), 400).save()
    const query = gaussian(mulberry32(9), dimensions)
    const answers = Object.values(makers).map((other) => other(saved).search(query, 343).rows)
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
  })

  it('is refused when it is cut anywhere, and never half read', () => {
    const saved = filled(make(), 100).save()
    fc.assert(
      fc.property(fc.nat(saved.length - 1), (length) => {
        expect(faultOf(() => make(saved.subarray(0, length)))).toBe(length < 4 ? 'foreign' : 'damaged')
      }),
      { seed: 1 },
    )
  })

  it('is refused when any bit has changed', () => {
    const saved = filled(make(), 100).save()
    fc.assert(
      fc.property(fc.nat(saved.length - 1), fc.nat(7), (at, bit) => {
        const changed = saved.slice()
        changed[at]! ^= 1 << bit
        expect(faultOf(() => make(changed))).toBe(at < 4 ? 'foreign' : at < 8 ? 'version' : 'damaged')
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  it('is refused with bytes after its end, of another width, and when it is something else', () => {
    const saved = filled(make(), 100).save()
    expect(faultOf(() => make(Uint8Array.of(...saved, 0)))).toBe('damaged')
    expect(faultOf(() => make(saved, dimensions + 1))).toBe('dimensions')
    expect(faultOf(() => make(new TextEncoder().encode('{"vectors": "in another place"}')))).toBe('foreign')
    expect(faultOf(() => make(new Uint8Array(0)))).toBe('foreign')
  })

  it('may lie anywhere in a larger buffer', () => {
    const saved = filled(make(), 50).save()
    const larger = new Uint8Array(saved.length + 3)
    larger.set(saved, 3)
    expect(make(larger.subarray(3)).save()).toEqual(saved)
  })
})
