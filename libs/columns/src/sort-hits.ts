import type { RowOrder } from './row-order.ts'

const infinityBits = 0x7f800000

/** A key has the 32 bits to sort by in its upper half and a place in its lower one. */
let keys = new BigUint64Array(1024)
let words = new Uint32Array(keys.buffer)
let givenRows = new Int32Array(1024)
let givenScores = new Float32Array(1024)
const [lower, upper] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0]

/**
 * Sorts the first `count` hits: larger score first, ties by the order of rows. Scores are above zero, so
 * that their bits ascend as they do. It sorts whole numbers made of bits and places, because comparing rows takes several times
 * as long, and floats twice as long; only rows of one score look up what orders them.
 */
export function sortBestFirst(
  order: Pick<RowOrder, 'tieOf' | 'before'>,
  { rows, scores }: { readonly rows: Int32Array; readonly scores: Float32Array },
  count: number,
): void {
  if (count < 2) return
  if (count > keys.length) {
    keys = new BigUint64Array(2 * count)
    words = new Uint32Array(keys.buffer)
    givenRows = new Int32Array(2 * count)
    givenScores = new Float32Array(2 * count)
  }
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count)
  for (let i = 0; i < count; i++) {
    words[2 * i + upper] = infinityBits - bits[i]!
    words[2 * i + lower] = i
    givenRows[i] = rows[i]!
    givenScores[i] = scores[i]!
  }
  keys.subarray(0, count).sort()
  for (let i = 0; i < count; i++) {
    const from = words[2 * i + lower]!
    rows[i] = givenRows[from]!
    scores[i] = givenScores[from]!
  }
  for (let from = 0, to = 1; from < count; from = to++) {
    while (to < count && scores[to] === scores[from]) to++
    if (to - from > 1) sortTied(order, rows, from, to)
  }
}

/** Sorts the rows of one score: by hash, and those of one hash, which are rare, one by one. */
function sortTied(order: Pick<RowOrder, 'tieOf' | 'before'>, rows: Int32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    words[2 * i + upper] = order.tieOf(rows[i]!)
    words[2 * i + lower] = i - from
    givenRows[i] = rows[i]!
  }
  keys.subarray(from, to).sort()
  for (let i = from; i < to; i++) {
    const row = givenRows[from + words[2 * i + lower]!]!
    const tie = words[2 * i + upper]!
    let at = i
    while (at > from && words[2 * at - 2 + upper]! === tie && order.before(row, rows[at - 1]!)) {
      rows[at] = rows[at - 1]!
      at--
    }
    rows[at] = row
  }
}
