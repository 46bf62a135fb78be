import { ContractError } from './errors.ts'

/**
 * Ids in few bytes. Most are made one way: a word and a number, a UUID, a hash in hexadecimal, or characters of base64url. A
 * column holds first its templates (kind, width, prefix), then for each id the index of its template and what the template
 * does not say: `p-0000123456` takes 4 bytes, a UUID 17, a nanoid 17, and any other text its UTF-8 and 2 more.
 */
export function packIds(ids: Iterable<string>): Uint8Array {
  const templates = new Map<string, Template>()
  at = 0
  for (const id of ids) write(id, templates)
  if (templates.size === 0) return new Uint8Array(0)
  const body = buffer.slice(0, at)
  at = 0
  varint(templates.size)
  for (const { kind, width, prefix } of templates.values()) {
    room(prefix.length * 3 + 16)
    buffer[at++] = kind
    varint(width)
    text(prefix)
  }
  room(body.length)
  buffer.set(body, at)
  return buffer.slice(0, at + body.length)
}

/** The ids that `packIds` was given, in their order. Throws CODEC_INVALID for other bytes. */
export function unpackIds(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return []
  const reader = createReader(bytes)
  const templates: Template[] = []
  for (let count = reader.varint(); count > 0; count--) {
    const kind = reader.byte()
    const width = reader.varint()
    templates.push({ kind, width, prefix: reader.text(reader.varint()), index: templates.length })
  }
  const ids: string[] = []
  while (!reader.atEnd()) {
    const { kind, width, prefix } = templates[reader.varint()] ?? refuse('names a template that it does not hold')
    ids.push(prefix + rest(reader, kind, width))
  }
  return ids
}

const kinds = { text: 0, uuid: 1, hex: 2, padded: 3, number: 4, base64url: 5 } as const

interface Template {
  readonly kind: number
  readonly width: number
  readonly prefix: string
  readonly index: number
}

/** Above this an index would take a second byte. */
const maxTemplates = 120
const maxPrefix = 64
const maxDigits = 15
const uuidLength = 36
const leastHex = 16
const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const base64Of = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) base64Of[base64Letters.charCodeAt(i)] = i

let buffer = new Uint8Array(16 << 10)
let at = 0

function write(id: string, templates: Map<string, Template>): void {
  room(id.length * 3 + 64)
  const { length } = id
  if (length >= uuidLength && isUuid(id, length - uuidLength)) {
    const template = templateOf(templates, kinds.uuid, 0, id.slice(0, length - uuidLength))
    if (template !== null) {
      varint(template.index)
      hex(id.slice(length - uuidLength).replaceAll('-', ''))
      return
    }
  }
  const hexFrom = length - 2 * Math.floor(run(id, isHex) / 2)
  if (length - hexFrom >= leastHex && run(id, isDigit) < length - hexFrom) {
    const template = templateOf(templates, kinds.hex, (length - hexFrom) / 2, id.slice(0, hexFrom))
    if (template !== null) {
      varint(template.index)
      hex(id.slice(hexFrom))
      return
    }
  }
  const digits = Math.min(maxDigits, run(id, isDigit))
  if (digits > 0) {
    const padded = digits > 1 && id[length - digits] === '0'
    const prefix = id.slice(0, length - digits)
    const kind = padded || prefix.length + digits < length ? kinds.padded : kinds.number
    const width = kind === kinds.padded ? digits : 0
    const known = templates.get(nameOf(kind, width, prefix)) ?? null
    // Where a prefix looks as if each id had another one, it gets no template.
    const template = known ?? (digits > 3 || isWord(prefix) ? templateOf(templates, kind, width, prefix) : null)
    if (template !== null) {
      varint(template.index)
      varint(Number(id.slice(length - digits)))
      return
    }
  }
  if (length >= 8 && run(id, isBase64) === length) {
    const template = templateOf(templates, kinds.base64url, length, '')
    if (template !== null) {
      varint(template.index)
      sixBits(id)
      return
    }
  }
  varint((templateOf(templates, kinds.text, 0, '', maxTemplates + 1) ?? refuse('has no room for text')).index)
  text(id)
}

function nameOf(kind: number, width: number, prefix: string): string {
  return `${kind} ${width} ${prefix}`
}

function templateOf(
  templates: Map<string, Template>,
  kind: number,
  width: number,
  prefix: string,
  most = maxTemplates,
): Template | null {
  const name = nameOf(kind, width, prefix)
  const known = templates.get(name)
  if (known !== undefined) return known
  if (templates.size >= most || prefix.length > maxPrefix) return null
  const template = { kind, width, prefix, index: templates.size }
  templates.set(name, template)
  return template
}

/** How many characters at the end are of a kind. */
function run(id: string, isOfKind: (code: number) => boolean): number {
  let from = id.length
  while (from > 0 && isOfKind(id.charCodeAt(from - 1))) from--
  return id.length - from
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x66)
}

function isBase64(code: number): boolean {
  return code < 128 && (base64Of[code] ?? -1) >= 0
}

function isUuid(id: string, from: number): boolean {
  for (let i = 0; i < uuidLength; i++) {
    const code = id.charCodeAt(from + i)
    const dash = i === 8 || i === 13 || i === 18 || i === 23
    if (dash ? code !== 0x2d : !isHex(code)) return false
  }
  return true
}

/** A short prefix without digits: `pin-`, `board_`. */
function isWord(prefix: string): boolean {
  if (prefix.length > 12) return false
  for (let i = 0; i < prefix.length; i++) if (isDigit(prefix.charCodeAt(i))) return false
  return true
}

function hex(digits: string): void {
  for (let i = 0; i < digits.length; i += 2) buffer[at++] = (nibble(digits, i) << 4) | nibble(digits, i + 1)
}

function nibble(digits: string, index: number): number {
  const code = digits.charCodeAt(index)
  return isDigit(code) ? code - 0x30 : code - 0x57
}

function sixBits(id: string): void {
  let held = 0
  let bits = 0
  for (let i = 0; i < id.length; i++) {
    held = ((held << 6) | (base64Of[id.charCodeAt(i)] ?? 0)) & 0x3fff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      buffer[at++] = (held >>> bits) & 0xff
    }
  }
  if (bits > 0) buffer[at++] = (held << (8 - bits)) & 0xff
}

function text(value: string): void {
  const bytes = Buffer.from(value)
  varint(bytes.length)
  buffer.set(bytes, at)
  at += bytes.length
}

function varint(value: number): void {
  let left = value
  while (left >= 0x80) {
    buffer[at++] = (left % 128) | 0x80
    left = Math.floor(left / 128)
  }
  buffer[at++] = left
}

function room(bytes: number): void {
  if (at + bytes <= buffer.length) return
  const larger = new Uint8Array(2 * (at + bytes))
  larger.set(buffer.subarray(0, at))
  buffer = larger
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
  atEnd(): boolean
  byte(): number
  varint(): number
  text(bytes: number): string
  hex(bytes: number): string
  sixBits(characters: number): string
}

function createReader(bytes: Uint8Array): Reader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let from = 0
  const take = (count: number): number => {
    if (count > view.length - from) refuse('ends within an id')
    from += count
    return from - count
  }
  return {
    atEnd: () => from >= view.length,
    byte: () => view[take(1)] ?? 0,
    varint() {
      let value = 0
      for (let scale = 1; ; scale *= 128) {
        const byte = view[take(1)] ?? 0
        value += (byte & 0x7f) * scale
        if (byte < 0x80) break
        if (scale > 2 ** 42) refuse('has a number that is too large')
      }
      return value
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

function refuse(problem: string): never {
  throw new ContractError('CODEC_INVALID', `a column of ids ${problem}`)
}
