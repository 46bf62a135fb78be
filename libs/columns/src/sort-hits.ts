import type { RowOrder } from './row-order.ts'

const infinityBits = 0x7f800000
const digits = 4
const digitValues = 256

/**
 * Sorts the first `count` hits: larger score first, ties by the order of rows. Scores are above zero, so that their
 * bits ascend as they do. A radix sort, by hash and then by score: comparing rows takes two to three times as long.
 */
export function sortBestFirst(
  order: Pick<RowOrder, 'tieOf' | 'before'>,
  { rows, scores }: { readonly rows: Int32Array; readonly scores: Float32Array },
  count: number,
): void {
  if (count < 2) return
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count)
  const ties = new Uint32Array(count)
  const falling = new Uint32Array(count)
  let places = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    ties[i] = order.tieOf(rows[i]!)
    falling[i] = infinityBits - bits[i]!
    places[i] = i
  }
  places = sortByKey(sortByKey(places, ties), falling)
  const givenRows = rows.slice(0, count)
  const givenScores = scores.slice(0, count)
  for (let i = 0; i < count; i++) {
    const from = places[i]!
    const row = givenRows[from]!
    scores[i] = givenScores[from]!
    // Rows of one hash are seldom: the few of them go to their places one by one.
    let at = i
    while (at > 0 && scores[at - 1] === scores[i] && order.before(row, rows[at - 1]!)) {
      rows[at] = rows[at - 1]!
      at--
    }
    rows[at] = row
  }
}

/** Places in the order of their keys, ascending; those of one key stay in the order given. Overwrites `order`. */
function sortByKey(order: Uint32Array<ArrayBuffer>, keys: Uint32Array): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(digits * digitValues)
  for (const key of keys)
    for (let digit = 0; digit < digits; digit++) starts[digit * digitValues + ((key >>> (8 * digit)) & 255)]!++
  let from = order
  let to = new Uint32Array(order.length)
  for (let digit = 0; digit < digits; digit++) {
    const shift = 8 * digit
    const first = digit * digitValues
    if (starts[first + ((keys[0]! >>> shift) & 255)] === keys.length) continue
    for (let value = 0, start = 0; value < digitValues; value++) {
      const those = starts[first + value]!
      starts[first + value] = start
      start += those
    }
    for (const place of from) to[starts[first + ((keys[place]! >>> shift) & 255)]!++] = place
    ;[from, to] = [to, from]
  }
  return from
}
