import { describe, expect, it } from 'vitest'
import { formatParts, timeByPart, type CpuProfile } from './cpu-profile.ts'

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 1 })

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 3, 4, 6] },
    { id: 2, callFrame: frame('(idle)', '') },
    { id: 3, callFrame: frame('(garbage collector)', '') },
    { id: 4, callFrame: frame('query', 'file:///x/libs/retrieval/src/sources/trending.ts'), children: [5] },
    { id: 5, callFrame: frame('sort', 'file:///x/libs/columns/src/sort-hits.ts') },
    { id: 6, callFrame: frame('unknown', 'node:internal/timers') },
  ],
  samples: [2, 3, 4, 5, 6],
  timeDeltas: [9_000, 1_000, 2_000, 3_000, 4_000],
}

describe('timeByPart', () => {
  it('gives the time of shared code to its caller, and leaves out idle time', () => {
    const times = timeByPart(profile)
    expect(times.get('retrieve: sources')).toBe(5)
    expect(times.get('garbage collection')).toBe(1)
    expect(times.get('others')).toBe(4)
    expect([...times.values()].reduce((sum, ms) => sum + ms, 0)).toBe(10)
  })
})

describe('formatParts', () => {
  it('gives a line for each part that took time, and sums', () => {
    const text = formatParts(new Map([['blender', timeByPart(profile)]]), 10)
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['CPU, ms a feed', 'blender', 'all'],
      ['retrieve: sources', '0.50', '0.50'],
      ['garbage collection', '0.10', '0.10'],
      ['others', '0.40', '0.40'],
      ['all', '1.00', '1.00'],
    ])
  })
})
