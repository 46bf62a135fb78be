import { ContractError } from '../errors.ts'

/**
 * Reads a column of texts that stand one after the other as UTF-8, by their lengths in bytes. The answer gives the text of
 * a row, or null where its length is 0; rows are asked for in order, each once. Throws CODEC_INVALID, naming the field, where
 * the lengths do not add up to the bytes.
 */
export function textReader(
  field: string,
  lengths: ArrayLike<number>,
  texts: Uint8Array,
): (row: number) => string | null {
  let total = 0
  for (let row = 0; row < lengths.length; row++) total += lengths[row] ?? 0
  if (total !== texts.length) {
    throw new ContractError('CODEC_INVALID', `${field} has ${texts.length} bytes, not the ${total} of its lengths`)
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
