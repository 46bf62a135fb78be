import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSorter, type Sortable } from './sorter.ts'

describe('A16 · laws of an import', () => {
  it('sorting keeps every record in the order of times, and records of the same time in the order of adding; in memory and on disk', async () => {
    const events = fc.array(fc.record({ atMs: fc.nat(20), bytes: fc.uint8Array({ maxLength: 40 }) }), {
      maxLength: 120,
    })
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom(300, 1 << 20), async (given, maxBytes) => {
        const sorter = createSorter({ maxBytes })
        const added: Sortable[] = given.map(({ atMs, bytes }, line) => ({
          atMs: 1_300_000_000_000 + atMs,
          file: line % 3,
          line,
          id: { low: line, high: line + 1 },
          value: bytes,
        }))
        try {
          for (const event of added) await sorter.add(event)
          expect(sorter.size()).toBe(added.length)
          const sorted: Sortable[] = []
          for await (const event of sorter.sorted()) sorted.push({ ...event, value: new Uint8Array(event.value) })
          const wanted = added.map((event) => ({ ...event, value: new Uint8Array(event.value) }))
          expect(sorted).toEqual(wanted.toSorted((a, b) => a.atMs - b.atMs || a.line - b.line))
        } finally {
          sorter.close()
        }
      }),
      { numRuns: 40 },
    )
  })
})
