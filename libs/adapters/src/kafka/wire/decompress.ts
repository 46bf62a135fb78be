import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** A record batch may unpack to at most this many bytes, so that a small batch cannot take all memory. */
const maxUnpackedBytes = 64 << 20

const codecs = ['none', 'gzip', 'Snappy', 'LZ4', 'zstd'] as const

/** Unpacks the records of a batch. `codec`: its number in the attributes of the batch. Throws an Error if it cannot. */
export function decompress(bytes: Buffer, codec: number): Buffer {
  const name = codecs[codec]
  try {
    switch (name) {
      case 'none':
        return bytes
      case 'gzip':
        return gunzipSync(bytes, { maxOutputLength: maxUnpackedBytes })
      case 'zstd':
        return zstdDecompressSync(bytes, { maxOutputLength: maxUnpackedBytes })
      case 'Snappy':
        return unpackSnappy(bytes)
      case 'LZ4':
        return unpackLz4(bytes)
      default:
        throw new Error('this codec is not known')
    }
  } catch (error) {
    throw new Error(
      `a record batch compressed with ${name ?? `codec ${codec}`} cannot be read: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

/** Output that grows; copies may overlap what they write. */
function createOutput() {
  let buffer = Buffer.allocUnsafe(4_096)
  let length = 0
  const grow = (more: number): void => {
    const needed = length + more
    if (needed > maxUnpackedBytes) throw new Error(`it unpacks to more than ${maxUnpackedBytes} bytes`)
    if (needed <= buffer.length) return
    const larger = Buffer.allocUnsafe(Math.min(maxUnpackedBytes, Math.max(needed, 2 * buffer.length)))
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }
  return {
    length: () => length,
    /** Adds bytes of the input. */
    add(input: Buffer, from: number, count: number): void {
      if (count < 0 || from + count > input.length) throw new Error('it is cut off')
      grow(count)
      input.copy(buffer, length, from, from + count)
      length += count
    },
    /** Adds bytes that stand `offset` before the end. They may reach into what is being added. */
    repeat(offset: number, count: number): void {
      if (offset <= 0 || offset > length) throw new Error('it refers to bytes before its beginning')
      grow(count)
      for (let i = 0; i < count; i++, length++) buffer[length] = buffer[length - offset] ?? 0
    },
    done: () => buffer.subarray(0, length),
  }
}

type Output = ReturnType<typeof createOutput>

const framed = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
/** The magic bytes and two version numbers. */
const frameHeaderBytes = 16

/** Snappy: one block, as librdkafka writes it, or the blocks of Java's `SnappyOutputStream`, each after its length. */
function unpackSnappy(bytes: Buffer): Buffer {
  const output = createOutput()
  if (!bytes.subarray(0, framed.length).equals(framed)) {
    unpackSnappyBlock(bytes, output)
    return output.done()
  }
  for (let at = frameHeaderBytes; at < bytes.length;) {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0 || at + length > bytes.length) throw new Error('it is cut off')
    unpackSnappyBlock(bytes.subarray(at, at + length), output)
    at += length
  }
  return output.done()
}

/** A block begins with its unpacked length. Each element's two lowest bits say what it is: a literal, or a copy with 11, 16 or 32 bits of offset. */
function unpackSnappyBlock(input: Buffer, output: Output): void {
  let at = 0
  let expected = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = input.readUInt8(at++)
    expected += (byte & 0x7f) * scale
    if (byte < 0x80) break
    if (scale > 2 ** 28) throw new Error('its length is damaged')
  }
  const start = output.length()
  while (at < input.length) {
    const tag = input.readUInt8(at++)
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >>> 2
      const lengthBytes = short < 60 ? 0 : short - 59
      const count = (lengthBytes === 0 ? short : input.readUIntLE(at, lengthBytes)) + 1
      at += lengthBytes
      output.add(input, at, count)
      at += count
    } else if (kind === 1) {
      output.repeat(((tag >>> 5) << 8) | input.readUInt8(at), ((tag >>> 2) & 7) + 4)
      at += 1
    } else {
      const offsetBytes = kind === 2 ? 2 : 4
      output.repeat(input.readUIntLE(at, offsetBytes), (tag >>> 2) + 1)
      at += offsetBytes
    }
  }
  if (output.length() - start !== expected) throw new Error('its length is damaged')
}

const lz4Magic = 0x184d2204

/** The frame format of LZ4. Checksums are not compared, because the batch has one of its own. */
function unpackLz4(bytes: Buffer): Buffer {
  const output = createOutput()
  if (bytes.readUInt32LE(0) !== lz4Magic) throw new Error('it does not begin as a frame')
  const flags = bytes.readUInt8(4)
  const has = (bit: number): boolean => (flags & (1 << bit)) !== 0
  if (flags >>> 6 !== 1) throw new Error('its version is not known')
  if (has(0)) throw new Error('it needs a dictionary')
  const blockChecksumBytes = has(4) ? 4 : 0
  // After the two bytes of flags: the size of the content, if given, and a checksum of the header.
  for (let at = 6 + (has(3) ? 8 : 0) + 1; ;) {
    const size = bytes.readUInt32LE(at)
    at += 4
    if (size === 0) return output.done()
    const length = size & 0x7fffffff
    if (at + length > bytes.length) throw new Error('it is cut off')
    if (size >>> 31 === 1) output.add(bytes, at, length)
    else unpackLz4Block(bytes.subarray(at, at + length), output)
    at += length + blockChecksumBytes
  }
}

/** A block is a list of literals, each followed by a copy; the last has no copy. */
function unpackLz4Block(input: Buffer, output: Output): void {
  let at = 0
  const lengthFrom = (nibble: number): number => {
    let length = nibble
    if (nibble < 15) return length
    for (;;) {
      const byte = input.readUInt8(at++)
      length += byte
      if (byte < 255) return length
    }
  }
  while (at < input.length) {
    const token = input.readUInt8(at++)
    const literals = lengthFrom(token >>> 4)
    output.add(input, at, literals)
    at += literals
    if (at >= input.length) return
    const offset = input.readUInt16LE(at)
    at += 2
    output.repeat(offset, lengthFrom(token & 15) + 4)
  }
}
