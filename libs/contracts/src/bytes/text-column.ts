import { ContractError } from '../errors.ts'

/**
 * Reads a column of concatenated UTF-8 texts by their lengths in bytes. The returned function gives the text of a row, or
 * null if its length is 0. Call it for each row in order, once. Throws CODEC_INVALID, naming the field, if the lengths do
 * not add up to the number of bytes.
 */
export function textReader(
  field: string,
  lengths: ArrayLike<number>,
  texts: Uint8Array,
): (row: number) => string | null {
  let total = 0
  for (let row = 0; row < lengths.length; row++) total += lengths[row] ?? 0
  if (total !== texts.length) {
    throw new ContractError('CODEC_INVALID', `${field} has ${texts.length} bytes, but its lengths add up to ${total}`)
  }
  const bytes = Buffer.from(texts.buffer, texts.byteOffset, texts.length)
  let at = 0
  return (row) => {
    const length = lengths[row] ?? 0
    if (length === 0) return null
    at += length
    return bytes.toString('utf8', at - length, at)
  }
}
