import { ContractError } from '../errors.ts'
import { readVarint, varintColumn, varintsOf } from './varints.ts'

/** Encodes a column of whole numbers in [0, 2^53) with many zeros: one bit each for "not 0", then the other numbers as varints. */
export function sparseOf(numbers: readonly number[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(numbers.length / 8))
  numbers.forEach((number, row) => {
    if (number !== 0) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7))
  })
  const others = varintsOf(numbers.filter((number) => number !== 0))
  const bytes = new Uint8Array(bits.length + others.length)
  bytes.set(bits)
  bytes.set(others, bits.length)
  return bytes
}

/** Decodes the `rows` numbers of a column from `sparseOf`. Throws CODEC_INVALID if it does not have that many. */
export function sparseColumn(bytes: Uint8Array, rows: number): Float64Array {
  const width = Math.ceil(rows / 8)
  if (bytes.length < width) throw new ContractError('CODEC_INVALID', 'a sparse column is too short')
  const others = varintColumn(bytes.subarray(width))
  const numbers = new Float64Array(rows)
  let next = 0
  for (let row = 0; row < rows; row++) {
    if (((bytes[row >> 3] ?? 0) & (1 << (row & 7))) !== 0) numbers[row] = others[next++] ?? 0
  }
  if (next !== others.length)
    throw new ContractError('CODEC_INVALID', 'a sparse column has too many or too few numbers')
  return numbers
}

/** Encodes a column of bytes with few distinct values: the number of rows and of values (both varints), the values, then for each row the index of its value in as few bits as possible, lowest first. */
export function fewOf(column: ArrayLike<number>): Uint8Array {
  const indices = new Map<number, number>()
  for (let row = 0; row < column.length; row++) {
    const value = column[row] ?? 0
    if (!indices.has(value)) indices.set(value, indices.size)
  }
  const width = widthOf(indices.size)
  const head = varintsOf([column.length, indices.size])
  const bytes = new Uint8Array(head.length + indices.size + Math.ceil((column.length * width) / 8))
  bytes.set(head)
  bytes.set([...indices.keys()], head.length)
  let bit = 8 * (head.length + indices.size)
  for (let row = 0; row < column.length; row++) {
    const index = indices.get(column[row] ?? 0) ?? 0
    for (let i = 0; i < width; i++, bit++) {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (((index >> i) & 1) << (bit & 7))
    }
  }
  return bytes
}

/** Decodes a column from `fewOf`. Throws CODEC_INVALID for other bytes. */
export function fewColumn(bytes: Uint8Array): Uint8Array {
  const head = { bytes, at: 0 }
  const rows = readVarint(head)
  const size = readVarint(head)
  if (rows < 0 || size < 0) throw new ContractError('CODEC_INVALID', 'a column of few values has no header')
  const { at } = head
  const values = bytes.subarray(at, at + size)
  const width = widthOf(size)
  if (
    size > 256 ||
    (size === 0 && rows > 0) ||
    bytes.length !== at + size + Math.ceil((rows * width) / 8) ||
    rows > maxRows
  ) {
    throw new ContractError('CODEC_INVALID', 'the length of a column of few values does not match its header')
  }
  const column = new Uint8Array(rows)
  let bit = 8 * (at + size)
  for (let row = 0; row < rows; row++) {
    let index = 0
    for (let i = 0; i < width; i++, bit++) index |= (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) << i
    const value = values[index]
    if (value === undefined)
      throw new ContractError('CODEC_INVALID', 'a column of few values has an index without a value')
    column[row] = value
  }
  return column
}

/** Equal rows take no bytes, so a damaged header could claim any number of them. */
const maxRows = 1 << 20

function widthOf(values: number): number {
  return values <= 1 ? 0 : 32 - Math.clz32(values - 1)
}
