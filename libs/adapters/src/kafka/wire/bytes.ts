/** Writes the primitive types of Kafka's protocol into a buffer, which must be large enough. */
export function createWriter(size: number) {
  const buffer = Buffer.allocUnsafe(size)
  let at = 0
  return {
    int8: (value: number) => (at = buffer.writeInt8(value, at)),
    int16: (value: number) => (at = buffer.writeInt16BE(value, at)),
    int32: (value: number) => (at = buffer.writeInt32BE(value, at)),
    int64: (value: number) => (at = buffer.writeBigInt64BE(BigInt(value), at)),
    text: (value: string) => {
      const length = buffer.write(value, at + 2)
      buffer.writeInt16BE(length, at)
      at += 2 + length
    },
    bytes: (value: Buffer) => (at += value.copy(buffer, at)),
    /** The written bytes. */
    done: () => buffer.subarray(0, at),
  }
}

/** Reads the primitive types of Kafka's protocol. Throws a RangeError past the end. */
export function createAnswer(buffer: Buffer) {
  let at = 0
  const int32 = (): number => {
    at += 4
    return buffer.readInt32BE(at - 4)
  }
  const int16 = (): number => {
    at += 2
    return buffer.readInt16BE(at - 2)
  }
  return {
    int16,
    int32,
    int64: (): number => {
      at += 8
      return Number(buffer.readBigInt64BE(at - 8))
    },
    text: (): string => {
      const length = int16()
      at += length
      return buffer.toString('utf8', at - length, at)
    },
    /** A copy. */
    bytes: (): Buffer => {
      const length = Math.max(0, int32())
      at += length
      return Buffer.from(buffer.subarray(at - length, at))
    },
    skip: (count: number): void => {
      at += count
    },
    list: <T>(item: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, item),
  }
}
