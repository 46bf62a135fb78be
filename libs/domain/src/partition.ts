const encoder = new TextEncoder()
/** Longer keys are rare, and encoded at once. */
const scratch = new Uint8Array(256)

/** The topic partition that owns a key: Kafka's default partitioner, `(murmur2(utf8(key)) & 0x7fffffff) mod partitions`. */
export function partitionOf(key: string, partitions: number): number {
  const { length } = key
  if (length > scratch.length) return partitionOfBytes(encoder.encode(key), partitions)
  // Keys are short and nearly always ASCII: for those a loop is faster than the encoder.
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i)
    if (unit > 0x7f) return partitionOfBytes(encoder.encode(key), partitions)
    scratch[i] = unit
  }
  return partitionOfRange(scratch, 0, length, partitions)
}

/** As `partitionOf`, for a key's UTF-8 bytes. */
export function partitionOfBytes(key: Uint8Array, partitions: number): number {
  return partitionOfRange(key, 0, key.length, partitions)
}

/** As `partitionOf`, for a key whose UTF-8 bytes are part of a buffer. */
export function partitionOfRange(bytes: Uint8Array, from: number, to: number, partitions: number): number {
  return (murmur2(bytes, from, to) & 0x7fffffff) % partitions
}

/** Kafka's 32-bit MurmurHash2 (seed 0x9747b28c) of part of a buffer, as a signed 32-bit number. */
function murmur2(data: Uint8Array, from: number, to: number): number {
  const m = 0x5bd1e995
  const length = to - from
  let h = 0x9747b28c ^ length
  const blocks = length >>> 2
  for (let i = 0; i < blocks; i++) {
    const at = from + (i << 2)
    let k = byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const tail = from + (blocks << 2)
  const rest = length & 3
  if (rest === 3) h ^= byte(data, tail + 2) << 16
  if (rest >= 2) h ^= byte(data, tail + 1) << 8
  if (rest >= 1) h = Math.imul(h ^ byte(data, tail), m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

function byte(data: Uint8Array, at: number): number {
  return data[at] ?? 0
}
