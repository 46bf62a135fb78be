import { ContractError } from '../errors.ts'

/** The little-endian bytes of a column. Every platform that Node runs on is little-endian, so a view is enough. */
export function bytesOf(
  column: Float32Array | Float64Array | Uint16Array | Uint32Array | Int32Array | Uint8Array,
): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
}

/** float32 column from bytes; a copy if the bytes are misaligned. Throws CODEC_INVALID for a wrong length. */
export function float32Column(bytes: Uint8Array): Float32Array {
  const aligned = align(bytes, 4)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

/** float64 column from bytes. */
export function float64Column(bytes: Uint8Array): Float64Array {
  const aligned = align(bytes, 8)
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8)
}

/** uint16 column from bytes. */
export function uint16Column(bytes: Uint8Array): Uint16Array {
  const aligned = align(bytes, 2)
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2)
}

/** uint32 column from bytes. */
export function uint32Column(bytes: Uint8Array): Uint32Array {
  const aligned = align(bytes, 4)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

function align(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.byteLength % width !== 0) {
    throw new ContractError(
      'CODEC_INVALID',
      `a column of ${bytes.byteLength} bytes is not a sequence of ${width}-byte numbers`,
    )
  }
  // Not `slice`: for a Buffer it returns a view of the same misaligned bytes.
  return bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
}
