import { readVarint } from './varints.ts'
import { base64Letters, kinds, maxDigits, refuse, variantDigits, type Template } from './packed-ids.ts'

/** Decodes the ids of a column from `packIds`, in their order, including old columns without runs. Throws CODEC_INVALID for other bytes. */
export function unpackIds(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return []
  const reader = createReader(bytes)
  const first = reader.varint()
  const inRuns = first === 0
  const templates: Template[] = []
  for (let count = inRuns ? reader.varint() : first; count > 0; count--) {
    const kind = reader.byte()
    const width = reader.varint()
    templates.push({ kind, width, prefix: reader.text(reader.varint()), index: templates.length })
  }
  const ids: string[] = []
  while (reader.left() > 0) {
    const head = reader.varint()
    const template = templates[inRuns ? Math.floor(head / 2) : head] ?? refuse('names a template that it does not hold')
    const count = inRuns && head % 2 === 1 ? reader.varint() : 1
    // Each id takes at least one byte.
    if (count > reader.left()) refuse('ends within a run')
    if (template.kind === kinds.randomUuid) randomUuids(reader, count, template.prefix, ids)
    else for (let i = 0; i < count; i++) ids.push(template.prefix + rest(reader, template.kind, template.width))
  }
  return ids
}

/** Reads a run of random UUIDs: 15 bytes each, then two bits for each variant digit. */
function randomUuids(reader: Reader, count: number, prefix: string, ids: string[]): void {
  const digits = reader.hex(15 * count)
  let byte = 0
  for (let i = 0; i < count; i++) {
    if (i % 4 === 0) byte = reader.byte()
    const variant = variantDigits[(byte >> (2 * (i % 4))) & 3] ?? ''
    const at = 30 * i
    ids.push(
      `${prefix}${digits.slice(at, at + 8)}-${digits.slice(at + 8, at + 12)}-4${digits.slice(at + 12, at + 15)}-${variant}${digits.slice(at + 15, at + 18)}-${digits.slice(at + 18, at + 30)}`,
    )
  }
}

function rest(reader: Reader, kind: number, width: number): string {
  switch (kind) {
    case kinds.text:
      return reader.text(reader.varint())
    case kinds.uuid: {
      const digits = reader.hex(16)
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
    }
    case kinds.hex:
      return reader.hex(width)
    case kinds.padded:
      if (width > maxDigits) return refuse('has a number that is too wide')
      return String(reader.varint()).padStart(width, '0')
    case kinds.number:
      return String(reader.varint())
    case kinds.base64url:
      return reader.sixBits(width)
    default:
      return refuse(`has a template of the unknown kind ${kind}`)
  }
}

interface Reader {
  /** Bytes not read yet. */
  left(): number
  byte(): number
  varint(): number
  text(bytes: number): string
  hex(bytes: number): string
  sixBits(characters: number): string
}

function createReader(bytes: Uint8Array): Reader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const cursor = { bytes: view, at: 0 }
  const take = (count: number): number => {
    if (count > view.length - cursor.at) refuse('ends within an id')
    cursor.at += count
    return cursor.at - count
  }
  return {
    left: () => view.length - cursor.at,
    byte: () => view[take(1)] ?? 0,
    varint() {
      const value = readVarint(cursor)
      return value < 0 ? refuse('ends within a number or has one that is too large') : value
    },
    text(count) {
      const start = take(count)
      return view.toString('utf8', start, start + count)
    },
    hex(count) {
      const start = take(count)
      return view.toString('hex', start, start + count)
    },
    sixBits(characters) {
      const start = take(Math.ceil((characters * 6) / 8))
      let found = ''
      for (let i = 0; i < characters; i++) {
        const bit = i * 6
        const first = view[start + (bit >> 3)] ?? 0
        const second = view[start + (bit >> 3) + 1] ?? 0
        found += base64Letters[(((first << 8) | second) >>> (10 - (bit & 7))) & 63] ?? ''
      }
      return found
    },
  }
}
