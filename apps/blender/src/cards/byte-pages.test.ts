import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBytePages } from './byte-pages.ts'

const pageBytes = 256
const entries = fc.record({ row: fc.nat(30), bytes: fc.option(fc.uint8Array({ maxLength: 60 })) })

test('bytes by row are those of a map, however rows change', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 300 }), (changes) => {
      const pages = createBytePages({ maxBytes: 1 << 20, pageBytes })
      const model = new Map<number, Uint8Array>()
      for (const { row, bytes } of changes) {
        if (bytes === null) pages.delete(row)
        else expect(pages.set(row, bytes)).toBe(true)
        if (bytes === null) model.delete(row)
        else model.set(row, bytes)
      }
      for (let row = 0; row < 32; row++) expect(pages.get(row)?.join() ?? null).toBe(model.get(row)?.join() ?? null)
    }),
  )
})

test('room that replaced entries took is used again', () => {
  const pages = createBytePages({ maxBytes: 8 * pageBytes, pageBytes })
  for (let round = 0; round < 1_000; round++)
    for (let row = 0; row < 8; row++) expect(pages.set(row, new Uint8Array(40).fill(round % 256))).toBe(true)
  for (let row = 0; row < 8; row++) expect(pages.get(row)).toEqual(Buffer.alloc(40, 999 % 256))
})

test('when the pages are full, an entry is refused and the row has no bytes', () => {
  const pages = createBytePages({ maxBytes: pageBytes, pageBytes })
  expect(pages.set(0, new Uint8Array(100))).toBe(true)
  expect(pages.set(1, new Uint8Array(100))).toBe(true)
  expect(pages.set(2, new Uint8Array(100))).toBe(false)
  expect(pages.get(2)).toBe(null)
  expect(pages.set(0, new Uint8Array(200))).toBe(false)
  expect(pages.get(0)).toBe(null)
  expect(pages.get(1)).toEqual(Buffer.alloc(100))
})

test('entries of a page that is emptied stay, even if all other pages are full', () => {
  const pages = createBytePages({ maxBytes: 2 * pageBytes, pageBytes })
  const entry = (row: number) => new Uint8Array(100).fill(row)
  for (let row = 0; row < 4; row++) expect(pages.set(row, entry(row))).toBe(true)
  pages.delete(0)
  for (let row = 1; row < 4; row++) expect(pages.get(row)).toEqual(Buffer.from(entry(row)))
  expect(pages.set(4, entry(4))).toBe(true)
})
