/** Builds keys of the state's databases: scope, 0, partition, kind, rest. Big-endian numbers, so that ranges are contiguous. */
export interface StateKeyBuilder {
  /** A value's key. The bytes are overwritten by the next call: LMDB copies them immediately. */
  value(scope: string, partition: number, key: string): Uint8Array
  /** The one record of position and meta. */
  position(scope: string, partition: number): Uint8Array
  /** The record of when a generation of the dedupe memory expires. */
  generation(scope: string, partition: number, generation: number): Uint8Array
  /** An id of the dedupe memory; begins as its generation's key does. */
  id(generationKey: Uint8Array, id: bigint): Uint8Array
}

/** The kind of a key: its byte after scope and partition. */
export const stateKeyKind = { position: 1, generation: 2, value: 3 } as const

/** Bytes after the scope's terminating 0: partition and kind. */
const TAIL = 5

/** Creates a builder with its own buffer. */
export function createStateKeyBuilder(maxKeyBytes: number): StateKeyBuilder {
  const prefixes = new Map<string, Buffer>()
  let scratch = Buffer.alloc(0)

  const begin = (scope: string, partition: number, kind: number): number => {
    let prefix = prefixes.get(scope)
    if (prefix === undefined) {
      prefix = Buffer.from(`${scope}\0`)
      prefixes.set(scope, prefix)
      if (prefix.length + TAIL + 3 * maxKeyBytes > scratch.length) {
        scratch = Buffer.alloc(prefix.length + TAIL + 3 * maxKeyBytes)
      }
    }
    scratch.set(prefix)
    const at = scratch.writeUInt32BE(partition, prefix.length)
    return scratch.writeUInt8(kind, at)
  }

  return {
    value(scope, partition, key) {
      const at = begin(scope, partition, stateKeyKind.value)
      const end = at + scratch.write(key, at)
      return scratch.subarray(0, end)
    },
    position(scope, partition) {
      const end = begin(scope, partition, stateKeyKind.position)
      return scratch.subarray(0, end)
    },
    generation(scope, partition, generation) {
      const at = begin(scope, partition, stateKeyKind.generation)
      const end = scratch.writeDoubleBE(generation, at)
      return Buffer.from(scratch.subarray(0, end))
    },
    id(generationKey, id) {
      scratch.set(generationKey)
      const end = scratch.writeBigUInt64BE(id, generationKey.length)
      return scratch.subarray(0, end)
    },
  }
}

/** The kind of a key in the values' database: one of `stateKeyKind`. */
export function kindOf(key: Uint8Array): number {
  return key[key.indexOf(0) + TAIL] ?? 0
}

/** The first key after all keys that begin with this one. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0
    if (byte < 255) {
      end[i] = byte + 1
      return end.subarray(0, i + 1)
    }
  }
  throw new RangeError('no key is behind one of 255s')
}
