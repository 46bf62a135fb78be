import type { RowOrder } from './row-order.ts'

const infinityBits = 0x7f800000
/** A key holds 32 bits to sort by and, below them, a place: together at most 2^53, which a float64 holds exactly. */
const places = 2 ** 21

let keys = new Float64Array(1024)
let givenRows = new Int32Array(1024)
let givenScores = new Float32Array(1024)

/**
 * Sorts the first `count` hits, at most 2,097,152: larger score first, ties by the order of rows. Scores are above zero, so
 * that their bits ascend as they do. It sorts numbers made of bits and places, because comparing rows takes several times
 * as long; only rows of one score look up what orders them.
 */
export function sortBestFirst(
  order: Pick<RowOrder, 'tieOf' | 'before'>,
  { rows, scores }: { readonly rows: Int32Array; readonly scores: Float32Array },
  count: number,
): void {
  if (count < 2) return
  if (count > keys.length) {
    keys = new Float64Array(2 * count)
    givenRows = new Int32Array(2 * count)
    givenScores = new Float32Array(2 * count)
  }
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count)
  for (let i = 0; i < count; i++) {
    keys[i] = (infinityBits - bits[i]!) * places + i
    givenRows[i] = rows[i]!
    givenScores[i] = scores[i]!
  }
  keys.subarray(0, count).sort()
  for (let i = 0; i < count; i++) {
    const from = placeIn(keys[i]!)
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
    keys[i] = order.tieOf(rows[i]!) * places + (i - from)
    givenRows[i] = rows[i]!
  }
  keys.subarray(from, to).sort()
  for (let i = from; i < to; i++) {
    const row = givenRows[from + placeIn(keys[i]!)]!
    const tie = Math.floor(keys[i]! / places)
    let at = i
    while (at > from && Math.floor(keys[at - 1]! / places) === tie && order.before(row, rows[at - 1]!)) {
      rows[at] = rows[at - 1]!
      at--
    }
    rows[at] = row
  }
}

function placeIn(key: number): number {
  return key - Math.floor(key / places) * places
}
