import { SnapshotError } from './errors.ts'

/** What a file of sections is: its first four bytes, and the version of its sections. */
export interface SnapshotFormat {
  readonly magic: number
  /** Goes up whenever the sections change; a file of another version is refused. */
  readonly version: number
}

/** The snapshot of views and models. A snapshot of another version is refused, and the log replayed. */
const viewFormat: SnapshotFormat = { magic: 0x46525254, version: 8 }

const headerBytes = 24
const kinds = ['u8', 'i32', 'u32', 'f32', 'f64', 'json'] as const
type Kind = (typeof kinds)[number]
type Column = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array

/** Collects named columns of the views. A column is copied when it is put. */
export interface SectionWriter {
  u8(name: string, column: Uint8Array): void
  i32(name: string, column: Int32Array): void
  u32(name: string, column: Uint32Array): void
  f32(name: string, column: Float32Array): void
  f64(name: string, column: Float64Array): void
  /** For what is small, and for lists of ids. */
  json(name: string, value: unknown): void
  /** A writer whose names are put under `prefix/`. */
  under(prefix: string): SectionWriter
}

/** Gives the columns back, each a fresh copy. An absent name or another kind throws a SnapshotError `SNAPSHOT_CORRUPT`. */
export interface SectionReader {
  u8(name: string): Uint8Array<ArrayBuffer>
  i32(name: string): Int32Array<ArrayBuffer>
  u32(name: string): Uint32Array<ArrayBuffer>
  f32(name: string): Float32Array<ArrayBuffer>
  f64(name: string): Float64Array<ArrayBuffer>
  json(name: string): unknown
  /** Whether there is such a section: those added later are missing where an earlier version wrote the snapshot. */
  has(name: string): boolean
  under(prefix: string): SectionReader
}

interface Section {
  readonly kind: Kind
  readonly bytes: Uint8Array
}

/** The last step of a running snapshot: `copying` the views, which must not change until it ends, or `joining` the copies. */
export type SnapshotStep = 'copying' | 'joining'

/** A snapshot in short steps, so that other work can run in between; it returns the bytes at the end. */
export type SnapshotSteps = Generator<SnapshotStep, Uint8Array, void>

/** Bytes that one step joins or sums up at most: some milliseconds. */
const stepBytes = 4 << 20

/**
 * Bytes of a snapshot: magic, version, length, two checksums, then sections (name, kind, bytes, aligned to 8). Each of
 * `parts` is called once, in a step of its own, and puts some of the sections.
 */
export function* snapshotSteps(
  parts: readonly ((writer: SectionWriter) => void)[],
  format = viewFormat,
): SnapshotSteps {
  const sections: { readonly name: string; readonly section: Section }[] = []
  const writer = createWriter('', (name, kind, bytes) => sections.push({ name, section: { kind, bytes } }))
  for (const write of parts) {
    write(writer)
    yield 'copying'
  }
  const encoder = new TextEncoder()
  const pieces: Uint8Array[] = []
  let length = headerBytes
  for (const { name, section } of sections) {
    const nameBytes = encoder.encode(name)
    const head = new Uint8Array(padded(12 + nameBytes.length))
    const view = new DataView(head.buffer)
    view.setUint32(0, nameBytes.length, true)
    view.setUint32(4, kinds.indexOf(section.kind), true)
    view.setUint32(8, section.bytes.length, true)
    head.set(nameBytes, 12)
    pieces.push(head, section.bytes)
    length += head.length + padded(section.bytes.length)
  }
  const out = new Uint8Array(length)
  let at = headerBytes
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += stepBytes) {
      out.set(piece.subarray(from, from + stepBytes), at + from)
      if (piece.length - from > stepBytes) yield 'joining'
    }
    at += padded(piece.length)
  }
  let sums = noSums
  for (let from = headerBytes; from < length; from += stepBytes) {
    sums = checksums(out, [from, Math.min(length, from + stepBytes)], sums)
    yield 'joining'
  }
  const header = new DataView(out.buffer)
  header.setUint32(0, format.magic, true)
  header.setUint32(4, format.version, true)
  header.setFloat64(8, length, true)
  header.setUint32(16, sums[0], true)
  header.setUint32(20, sums[1], true)
  return out
}

/** A snapshot in one go. `format`: by default that of views. */
export function encodeSnapshot(write: (writer: SectionWriter) => void, format = viewFormat): Uint8Array {
  return finished(snapshotSteps([write], format))
}

/** Takes all the steps that are left. */
export function finished(steps: SnapshotSteps): Uint8Array {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Checks and opens a snapshot. Throws a SnapshotError that says what is wrong before any view is touched. */
export function decodeSnapshot(bytes: Uint8Array, format = viewFormat): SectionReader {
  if (bytes.length < headerBytes)
    throw new SnapshotError('SNAPSHOT_TRUNCATED', `the snapshot has ${bytes.length} bytes, fewer than its header`)
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (header.getUint32(0, true) !== format.magic)
    throw new SnapshotError('SNAPSHOT_NOT_A_SNAPSHOT', 'the file does not begin with the mark of a snapshot')
  const version = header.getUint32(4, true)
  if (version !== format.version)
    throw new SnapshotError(
      'SNAPSHOT_OTHER_VERSION',
      `the snapshot has version ${version}; this build reads version ${format.version}`,
    )
  const length = header.getFloat64(8, true)
  if (length !== bytes.length)
    throw new SnapshotError('SNAPSHOT_TRUNCATED', `the snapshot has ${bytes.length} bytes of ${length}`)
  const [a, b] = checksums(bytes, [headerBytes, bytes.length], noSums)
  if (a !== header.getUint32(16, true) || b !== header.getUint32(20, true)) {
    throw new SnapshotError('SNAPSHOT_CORRUPT', 'the checksum of the snapshot does not match')
  }
  const decoder = new TextDecoder()
  const sections = new Map<string, Section>()
  let at = headerBytes
  while (at < bytes.length) {
    const nameLength = header.getUint32(at, true)
    const kind = kinds[header.getUint32(at + 4, true)]
    const size = header.getUint32(at + 8, true)
    if (kind === undefined)
      throw new SnapshotError('SNAPSHOT_CORRUPT', `the snapshot has a section of an unknown kind at byte ${at}`)
    const name = decoder.decode(bytes.subarray(at + 12, at + 12 + nameLength))
    at += padded(12 + nameLength)
    sections.set(name, { kind, bytes: bytes.subarray(at, at + size) })
    at += padded(size)
  }
  return createReader('', sections)
}

function createWriter(prefix: string, put: (name: string, kind: Kind, bytes: Uint8Array) => void): SectionWriter {
  const column = (kind: Kind) => (name: string, values: Column) =>
    put(prefix + name, kind, new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice())
  return {
    u8: column('u8'),
    i32: column('i32'),
    u32: column('u32'),
    f32: column('f32'),
    f64: column('f64'),
    json: (name, value) => put(prefix + name, 'json', new TextEncoder().encode(JSON.stringify(value))),
    under: (name) => createWriter(`${prefix}${name}/`, put),
  }
}

function createReader(prefix: string, sections: ReadonlyMap<string, Section>): SectionReader {
  const bytesOf = (name: string, kind: Kind): Uint8Array<ArrayBuffer> => {
    const section = sections.get(prefix + name)
    if (section === undefined)
      throw new SnapshotError('SNAPSHOT_CORRUPT', `the snapshot has no section ${prefix}${name}`)
    if (section.kind !== kind)
      throw new SnapshotError(
        'SNAPSHOT_CORRUPT',
        `section ${prefix}${name} of the snapshot is ${section.kind}, not ${kind}`,
      )
    return new Uint8Array(section.bytes)
  }
  return {
    u8: (name) => bytesOf(name, 'u8'),
    i32: (name) => new Int32Array(bytesOf(name, 'i32').buffer),
    u32: (name) => new Uint32Array(bytesOf(name, 'u32').buffer),
    f32: (name) => new Float32Array(bytesOf(name, 'f32').buffer),
    f64: (name) => new Float64Array(bytesOf(name, 'f64').buffer),
    json: (name) => JSON.parse(new TextDecoder().decode(bytesOf(name, 'json'))) as unknown,
    has: (name) => sections.has(prefix + name),
    under: (name) => createReader(`${prefix}${name}/`, sections),
  }
}

function padded(length: number): number {
  return (length + 7) & ~7
}

const noSums: readonly [number, number] = [0x811c9dc5, 0x9747b28c]

/** Both sums after the words of a range, which is aligned to 4, from what they were before it. */
function checksums(
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
  before: readonly [number, number],
): readonly [number, number] {
  let [a, b] = before
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + from, (to - from) >>> 2)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    a = Math.imul(a ^ word, 0x01000193)
    b = Math.imul((b ^ word) + (b << 5), 0x85ebca6b) ^ (b >>> 15)
  }
  return [a >>> 0, b >>> 0]
}
