import { ContractError } from '../errors.ts'
import { writeVarint } from './varints.ts'

/**
 * Encodes ids in few bytes. Most ids have one of a few forms: a word and a number, a UUID, a hash in hexadecimal, or characters
 * of base64url. A column holds a 0, its templates (kind, width, prefix), then the ids in runs with the same template: its index,
 * the number of ids, and for each id what the template does not contain. `p-0000123456` takes 3 bytes, a random UUID 15 ¼, a
 * nanoid 16, and any other text its UTF-8 plus 1. An id that is alone in its run takes 1 more.
 */
export function packIds(ids: Iterable<string>): Uint8Array {
  const templates: Templates = new Map()
  const runs: { readonly template: Template; readonly ids: string[] }[] = []
  latest = null
  for (const id of ids) {
    const template = templateFor(id, templates)
    latest = template
    const last = runs.at(-1)
    if (last?.template === template) last.ids.push(id)
    else runs.push({ template, ids: [id] })
  }
  if (runs.length === 0) return new Uint8Array(0)
  at = 0
  room(16)
  buffer[at++] = 0
  varint(templates.size)
  for (const { kind, width, prefix } of templates.values()) {
    room(prefix.length * 3 + 16)
    buffer[at++] = kind
    varint(width)
    text(prefix)
  }
  for (const { template, ids: alike } of runs) {
    room(16)
    varint(2 * template.index + Number(alike.length > 1))
    if (alike.length > 1) varint(alike.length)
    if (template.kind === kinds.randomUuid) {
      randomUuids(alike)
      continue
    }
    for (const id of alike) {
      room(id.length * 3 + 64)
      writeRest(id, template)
    }
  }
  return buffer.slice(0, at)
}

/** Kinds of templates, by the part of an id that follows the prefix. */
export const kinds = { text: 0, uuid: 1, hex: 2, padded: 3, number: 4, base64url: 5, randomUuid: 6 } as const

/** The common form of similar ids. */
export interface Template {
  readonly kind: number
  readonly width: number
  readonly prefix: string
  readonly index: number
}

/** Above this an index would take a second byte. */
const maxTemplates = 120
const maxPrefix = 64
/** Maximum digits of an integer that a number represents exactly. */
export const maxDigits = 15
const uuidLength = 36
const leastHex = 16
/** The characters of base64url in their order. */
export const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const base64Of = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) base64Of[base64Letters.charCodeAt(i)] = i

let buffer = new Uint8Array(16 << 10)
let at = 0

/** The template that leaves the fewest bytes to an id. */
function templateFor(id: string, templates: Templates): Template {
  const { length } = id
  if (length >= uuidLength && isUuid(id, length - uuidLength)) {
    const from = length - uuidLength
    const template = templateOf(templates, isRandom(id, from) ? kinds.randomUuid : kinds.uuid, 0, id.slice(0, from))
    if (template !== null) return template
  }
  const allDigits = digitsAtEnd(id)
  const hexFrom = length - 2 * Math.floor(hexAtEnd(id) / 2)
  if (length - hexFrom >= leastHex && allDigits < length - hexFrom) {
    const template = templateOf(templates, kinds.hex, (length - hexFrom) / 2, id.slice(0, hexFrom))
    if (template !== null) return template
  }
  const digits = Math.min(maxDigits, allDigits)
  if (digits > 0) {
    const padded = digits > 1 && id[length - digits] === '0'
    const prefix = id.slice(0, length - digits)
    const kind = padded || prefix.length + digits < length ? kinds.padded : kinds.number
    const width = kind === kinds.padded ? digits : 0
    const known = knownTemplate(templates, kind, width, prefix)
    // If every id seems to have its own prefix, the prefix gets no template.
    const template = known ?? (digits > 3 || isWord(prefix) ? templateOf(templates, kind, width, prefix) : null)
    if (template !== null) return template
  }
  if (length >= 8 && isBase64(id)) {
    const template = templateOf(templates, kinds.base64url, length, '')
    if (template !== null) return template
  }
  return templateOf(templates, kinds.text, 0, '', maxTemplates + 1) ?? refuse('has no room for text')
}

/** Writes the part of an id that its template does not contain: the counterpart of `rest`. */
function writeRest(id: string, { kind, prefix }: Template): void {
  const own = id.slice(prefix.length)
  if (kind === kinds.uuid) hex(own.replaceAll('-', ''))
  else if (kind === kinds.hex) hex(own)
  else if (kind === kinds.base64url) sixBits(own)
  else if (kind === kinds.text) text(own)
  else varint(Number(own))
}

/** Position of the version in a UUID. */
const versionAt = 14
/** Position of the variant in a UUID. */
const variantAt = 19
/** The digits of the usual variant. */
export const variantDigits = '89ab'

/** Whether a UUID has version 4 and the usual variant. One digit is the version; another one is the variant and has two free bits. */
function isRandom(id: string, from: number): boolean {
  return id[from + versionAt] === '4' && variantDigits.includes(id[from + variantAt] ?? '?')
}

/** Writes a run of random UUIDs: the thirty free digits of each, then two bits for each variant digit. */
function randomUuids(ids: readonly string[]): void {
  let digits = ''
  for (const id of ids) {
    const from = id.length - uuidLength
    digits += id.slice(from, from + 8) + id.slice(from + 9, from + 13) + id.slice(from + 15, from + 18)
    digits += id.slice(from + 20, from + 23) + id.slice(from + 24)
  }
  const bytes = Buffer.from(digits, 'hex')
  const variantBytes = Math.ceil(ids.length / 4)
  room(bytes.length + variantBytes)
  buffer.set(bytes, at)
  at += bytes.length
  buffer.fill(0, at, at + variantBytes)
  ids.forEach((id, i) => {
    const bits = variantDigits.indexOf(id[id.length - uuidLength + variantAt] ?? '')
    buffer[at + (i >> 2)] = (buffer[at + (i >> 2)] ?? 0) | (bits << (2 * (i & 3)))
  })
  at += variantBytes
}

/** Templates by kind, width and prefix. */
type Templates = Map<string, Template>

function nameOf(kind: number, width: number, prefix: string): string {
  return `${kind} ${width} ${prefix}`
}

/** The last template. Similar ids often follow each other, and a lookup key for each would cost more than packing it. */
let latest: Template | null = null

function knownTemplate(templates: Templates, kind: number, width: number, prefix: string): Template | null {
  if (latest !== null && latest.kind === kind && latest.width === width && latest.prefix === prefix) return latest
  return templates.get(nameOf(kind, width, prefix)) ?? null
}

function templateOf(
  templates: Templates,
  kind: number,
  width: number,
  prefix: string,
  most = maxTemplates,
): Template | null {
  const known = knownTemplate(templates, kind, width, prefix)
  if (known !== null) return known
  if (templates.size >= most || prefix.length > maxPrefix) return null
  const template = { kind, width, prefix, index: templates.size }
  templates.set(nameOf(kind, width, prefix), template)
  return template
}

function digitsAtEnd(id: string): number {
  let from = id.length
  while (from > 0 && isDigit(id.charCodeAt(from - 1))) from--
  return id.length - from
}

function hexAtEnd(id: string): number {
  let from = id.length
  while (from > 0 && isHex(id.charCodeAt(from - 1))) from--
  return id.length - from
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x66)
}

function isBase64(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code > 127 || (base64Of[code] ?? -1) < 0) return false
  }
  return true
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
  at = writeVarint(buffer, at, value)
}

function room(bytes: number): void {
  if (at + bytes <= buffer.length) return
  const larger = new Uint8Array(2 * (at + bytes))
  larger.set(buffer.subarray(0, at))
  buffer = larger
}

/** Throws CODEC_INVALID. */
export function refuse(problem: string): never {
  throw new ContractError('CODEC_INVALID', `a column of ids ${problem}`)
}
