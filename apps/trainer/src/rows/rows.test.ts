import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRows } from './read-rows.ts'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { decodeRows, encodeRows } from './row-file.ts'
import { listSegments, openRowSegments } from './row-segments.ts'
import { rowBatchOf, someRows, type FixtureRow } from '@freshet/ranking/rows/rows.fixture'

const forever = { maxRows: Infinity, maxAgeMs: Infinity }

async function filesWith(...batches: readonly (readonly FixtureRow[])[]) {
  const files = createMemoryArtefactStore()
  const segments = await openRowSegments(files, 0, forever)
  for (const rows of batches) await segments.append(rowBatchOf(rows), 0)
  return files
}

async function all(reading: AsyncIterable<RowBatch>): Promise<RowBatch[]> {
  const batches: RowBatch[] = []
  for await (const batch of reading) batches.push(batch)
  return batches
}

const namesIn = (batches: readonly RowBatch[]): string[] =>
  batches.flatMap((batch) =>
    batch.pinIds.map((pinId, row) => `${batch.feedIds[row]!}/${pinId}@${batch.revision[row]!}`),
  )

describe('a file of rows', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const batch = rowBatchOf(rows)
        expect(decodeRows('x', encodeRows(batch))).toEqual(batch)
      }),
    )
  })

  it('that was changed at any byte or cut anywhere is refused by name', () => {
    const bytes = encodeRows(rowBatchOf([{ feedId: 'f', pinId: 'a' }]))
    const damages = fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7), isCut: fc.boolean() })
    fc.assert(
      fc.property(damages, ({ at, bit, isCut }) => {
        const damaged = bytes.slice(0, isCut ? at : bytes.length)
        if (!isCut) damaged[at] = damaged[at]! ^ (1 << bit)
        expect(() => decodeRows('the file', damaged)).toThrow(/^the file cannot be read: /)
      }),
    )
  })
})

describe('a file of rows of an earlier version', () => {
  const rows = rowBatchOf([
    { feedId: 'f', pinId: 'a', click: true, topics: ['bread', 'wine'] },
    { feedId: 'f', pinId: 'b', features: [NaN, 3], weight: 4 },
  ])
  it.each([
    ['rows-v1', ['', '']],
    ['rows-v2', ['de-AT', '']],
  ])('is still read: %s', async (name, locales) => {
    const text = await readFile(new URL(`golden/${name}.base64`, import.meta.url), 'utf8')
    expect(decodeRows(name, Buffer.from(text, 'base64'))).toEqual({ ...rows, locales })
  })

  it('of a later version is refused, with both versions', () => {
    const bytes = encodeRows(rows)
    new DataView(bytes.buffer).setUint32(4, 99, true)
    expect(() => decodeRows('x', bytes)).toThrow(/version 99; this build reads version 2/)
  })
})

describe('reading rows', () => {
  it('gives each row once, with its last correction', async () => {
    const files = await filesWith(
      [
        { feedId: 'f', pinId: 'a' },
        { feedId: 'f', pinId: 'b' },
      ],
      [{ feedId: 'f', pinId: 'a', revision: 1 }],
      [
        { feedId: 'f', pinId: 'a', revision: 2 },
        { feedId: 'g', pinId: 'a' },
      ],
    )
    expect(namesIn(await all(readRows(files)))).toEqual(['f/b@0', 'f/a@2', 'g/a@0'])
    expect(namesIn(await all(readRows(files, { newestFirst: true })))).toEqual(['f/a@2', 'g/a@0', 'f/b@0'])
    expect(namesIn(await all(readRows(files, { everyRevision: true })))).toHaveLength(5)
  })

  it('gives exactly the rows of the window', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someRows, { maxLength: 4 }), fc.nat(4_000), fc.nat(4_000), async (batches, a, b) => {
        const files = await filesWith(...batches)
        const read = await all(readRows(files, { fromMs: a, toMs: b, everyRevision: true }))
        const wanted = batches.flat().filter(({ atMs = 0 }) => atMs >= a && atMs < b)
        expect(read.reduce((sum, { rows }) => sum + rows, 0)).toBe(wanted.length)
      }),
      { numRuns: 30 },
    )
  })

  it('reports a damaged file and reads the rest', async () => {
    const files = await filesWith([{ feedId: 'f', pinId: 'a' }], [{ feedId: 'g', pinId: 'b' }])
    const [first = ''] = await files.list('')
    await files.put(first, (await files.get(first)).slice(0, 100))
    const errors: Error[] = []
    const read = await all(readRows(files, { onDamaged: (error) => errors.push(error) }))
    expect(namesIn(read)).toEqual(['g/b@0'])
    expect(errors).toMatchObject([{ code: 'ROWS_DAMAGED', message: expect.stringContaining(first) as string }])
  })

  it('leaves out a file that retention deleted after the listing', async () => {
    const files = await filesWith([{ feedId: 'f', pinId: 'a' }], [{ feedId: 'g', pinId: 'b' }])
    const reading = readRows(files)
    await reading.next()
    for (const name of await files.list('')) await files.remove(name)
    expect(await reading.next()).toMatchObject({ done: true })
  })
})

describe('files of rows', () => {
  const two = [
    { feedId: 'f', pinId: 'a', atMs: 1_000 },
    { feedId: 'f', pinId: 'b', atMs: 2_000 },
  ]

  it('that no checkpoint committed are deleted at the next opening', async () => {
    const files = await filesWith(two, two, two)
    const reopened = await openRowSegments(files, 2, forever)
    expect(reopened.rows).toBe(4)
    expect((await listSegments(files)).map(({ sequence }) => sequence)).toEqual([0, 1])
  })

  it('hold each row once although a call failed that was done all the same', async () => {
    const files = createMemoryArtefactStore()
    let failing: 'put' | 'remove' | null = null
    const half = async (what: 'put' | 'remove', done: Promise<void>): Promise<void> => {
      await done
      if (failing === what) throw new Error('refused')
    }
    const refusing = {
      ...files,
      put: (name: string, bytes: Uint8Array) => half('put', files.put(name, bytes)),
      remove: (name: string) => half('remove', files.remove(name)),
    }
    const segments = await openRowSegments(refusing, 0, { maxRows: 5, maxAgeMs: Infinity })
    failing = 'put'
    await expect(segments.append(rowBatchOf(two), 0)).rejects.toThrow('refused')
    failing = null
    await segments.append(rowBatchOf([...two, { feedId: 'f', pinId: 'c', atMs: 3_000 }]), 0)
    expect(namesIn(await all(readRows(files)))).toEqual(['f/a@0', 'f/b@0', 'f/c@0'])
    failing = 'remove'
    const more = [1, 2, 3, 4].map((pin) => ({ feedId: 'g', pinId: `p${pin}` }))
    await expect(segments.append(rowBatchOf(more), 0)).rejects.toThrow('refused')
    failing = null
    await segments.append(rowBatchOf(more), 0)
    expect(namesIn(await all(readRows(files)))).toEqual(['g/p1@0', 'g/p2@0', 'g/p3@0', 'g/p4@0'])
    expect(segments.rows).toBe(4)
  })

  it('are deleted from the oldest on beyond maxRows, but never the newest', async () => {
    const files = createMemoryArtefactStore()
    const segments = await openRowSegments(files, 0, { maxRows: 5, maxAgeMs: Infinity })
    for (let i = 0; i < 4; i++) await segments.append(rowBatchOf(two), 0)
    expect((await listSegments(files)).map(({ sequence }) => sequence)).toEqual([2, 3])
    const strict = await openRowSegments(files, segments.next, { maxRows: 1, maxAgeMs: Infinity })
    await strict.append(rowBatchOf(two), 0)
    expect((await listSegments(files)).map(({ sequence }) => sequence)).toEqual([4])
  })

  it('are deleted when their newest row is older than maxAgeMs', async () => {
    const files = createMemoryArtefactStore()
    const segments = await openRowSegments(files, 0, { maxRows: Infinity, maxAgeMs: 500 })
    await segments.append(rowBatchOf(two), 2_000)
    await segments.append(rowBatchOf(two), 2_500)
    expect(segments.rows).toBe(4)
    await segments.append(rowBatchOf(two), 2_501)
    expect(segments.rows).toBe(2)
  })
})
