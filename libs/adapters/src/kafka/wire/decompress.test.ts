import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompress } from './decompress.ts'

const text = Array.from({ length: 60 }, (_, i) => `{"who":"u${i % 7}","what":"p${i}"}\n`).join('')

/** The text as the reference libraries pack it. */
const snappy = Buffer.from(
  'jgxgeyJ3aG8iOiJ1MCIsIndoYXQiOiJwMCJ9ChUZADEdGQAxLhkAADIdGQAyLhkAADMdGQAzLhkAADQdGQA0LhkAADUdGQA1LhkAADYdGQA2LhkALq8AADcuGQAurwAAOC4ZAC6vAAA5LhkALq8AADEy+wAusAAAMTL8AC6xAAAxMv0ALrIAADEy/gAuswAAMTL/AC60AAAxMgABLrUAADEyAQEytgAyAgEytgAyAwEytgAyBAEutgAAMjIEAS62AAAyMgQBLrYAADIyBAEutgAAMjIEAS62AAAyMgQBLrYAADIyBAEutgAAMjIEATK2ADIEATK2ADIEATK2ADIEAS62AAAzMgQBLrYAADMyBAEutgAAMzIEAS62AAAzMgQBLrYAADMyBAEutgAAMzIEAS62AAAzMgQBMrYAMgQBMrYAMgQBMrYAMgQBLrYAADQyBAEutgAANDIEAS62AAA0MgQBLrYAADQyBAEutgAANDIEAS62AAA0MgQBLrYAADQyBAEytgAyBAEytgAyBAEytgAyBAEutgAANTIEAS62AAA1MgQBLrYAADUyBAEutgAANTIEAS62AAA1MgQBLrYAADUyBAEutgAANTIEATK2ADIEATK2ADIEATK2AAw5In0K',
  'base64',
)
const lz4Linked = Buffer.from(
  'BCJNGGhADgYAAAAAAADwtAEAAPUKeyJ3aG8iOiJ1MCIsIndoYXQiOiJwMCJ9ChkAFzEZABgxGQAXMhkAGDIZABczGQAYMxkAFzQZABg0GQAXNRkAGDUZABc2GQAYNhkACK8AGDcZAAivABg4GQAIrwAYORkACK8AGTH7AAiwABkx/AAIsQAZMf0ACLIAGTH+AAizABkx/wAItAAZMQABCLUAGTEBAQm2AAkCAQm2AAkDAQm2AAkEAQi2ABkyBAEItgAZMgQBCLYAGTIEAQi2ABkyBAEItgAZMgQBCLYAGTIEAQi2ABkyBAEJtgAJBAEJtgAJBAEJtgAJBAEItgAZMwQBCLYAGTMEAQi2ABkzBAEItgAZMwQBCLYAGTMEAQi2ABkzBAEItgAZMwQBCbYACQQBCbYACQQBCbYACQQBCLYAGTQEAQi2ABk0BAEItgAZNAQBCLYAGTQEAQi2ABk0BAEItgAZNAQBCLYAGTQEAQm2AAkEAQm2AAkEAQm2AAkEAQi2ABk1BAEItgAZNQQBCLYAGTUEAQi2ABk1BAEItgAZNQQBCLYAGTUEAQi2ABk1BAEJtgAJBAEJtgAJBAEItgBQNTkifQoAAAAA',
  'base64',
)
const lz4Checked = Buffer.from(
  'BCJNGHxADgYAAAAAAAD4tAEAAPUKeyJ3aG8iOiJ1MCIsIndoYXQiOiJwMCJ9ChkAFzEZABgxGQAXMhkAGDIZABczGQAYMxkAFzQZABg0GQAXNRkAGDUZABc2GQAYNhkACK8AGDcZAAivABg4GQAIrwAYORkACK8AGTH7AAiwABkx/AAIsQAZMf0ACLIAGTH+AAizABkx/wAItAAZMQABCLUAGTEBAQm2AAkCAQm2AAkDAQm2AAkEAQi2ABkyBAEItgAZMgQBCLYAGTIEAQi2ABkyBAEItgAZMgQBCLYAGTIEAQi2ABkyBAEJtgAJBAEJtgAJBAEJtgAJBAEItgAZMwQBCLYAGTMEAQi2ABkzBAEItgAZMwQBCLYAGTMEAQi2ABkzBAEItgAZMwQBCbYACQQBCbYACQQBCbYACQQBCLYAGTQEAQi2ABk0BAEItgAZNAQBCLYAGTQEAQi2ABk0BAEItgAZNAQBCLYAGTQEAQm2AAkEAQm2AAkEAQm2AAkEAQi2ABk1BAEItgAZNQQBCLYAGTUEAQi2ABk1BAEItgAZNQQBCLYAGTUEAQi2ABk1BAEJtgAJBAEJtgAJBAEItgBQNTkifQqC0uwZAAAAAEIfSxw=',
  'base64',
)

/** Blocks as Java's SnappyOutputStream writes them. */
function framed(...blocks: readonly Buffer[]): Buffer {
  const parts = blocks.flatMap((block) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    return [length, block]
  })
  return Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]), ...parts])
}

describe('a compressed batch', () => {
  it.each([
    ['Snappy, as librdkafka writes it', 2, snappy, text],
    ['Snappy, as Java writes it', 2, framed(snappy, snappy), text + text],
    ['LZ4 with linked blocks', 3, lz4Linked, text],
    ['LZ4 with independent blocks, sizes and checksums', 3, lz4Checked, text],
    ['gzip', 1, gzipSync(text), text],
  ])('is unpacked: %s', (_name, codec, bytes, expected) => {
    expect(decompress(bytes, codec).toString()).toBe(expected)
  })

  it('that is damaged is unpacked, or is an error that names the codec', () => {
    const packed = fc.constantFrom<readonly [number, Buffer]>(
      [2, snappy],
      [2, framed(snappy)],
      [3, lz4Linked],
      [3, lz4Checked],
    )
    fc.assert(
      fc.property(packed, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), ([codec, good], at, byte, cut) => {
        const bytes = cut ? good.subarray(0, at % good.length) : Buffer.from(good)
        if (!cut) bytes[at % bytes.length] = byte
        try {
          expect(decompress(bytes, codec).length).toBeLessThanOrEqual(64 << 20)
        } catch (error) {
          expect((error as Error).message).toMatch(/^a record batch compressed with (Snappy|LZ4) cannot be read: /)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('that unpacks to more than 64 MiB is refused', () => {
    expect(() => decompress(gzipSync(Buffer.alloc((64 << 20) + 1)), 1)).toThrow(/compressed with gzip cannot be read/)
    // One literal, then copies of 64 bytes each from one byte before.
    const copies = Buffer.alloc(3 * ((1 << 20) + 1), Buffer.from([0xfe, 1, 0]))
    const bomb = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x40, 0, 65]), copies])
    expect(() => decompress(bomb, 2)).toThrow(/more than 67108864 bytes/)
  })

  it('of an unknown codec is refused', () => {
    expect(() => decompress(snappy, 5)).toThrow(/codec 5 cannot be read: this codec is not known/)
  })
})
