/**
 * Moves the best `limit` of the first `count` entries to the front of `order`, best first, and gives how many there are.
 * `before` is a total order. In place, O(count log limit).
 */
export function selectBest(
  order: Int32Array,
  { count, limit }: { readonly count: number; readonly limit: number },
  before: (a: number, b: number) => boolean,
): number {
  const size = Math.min(count, limit)
  const down = (from: number, length: number): void => {
    let at = from
    const entry = order[at]!
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && before(order[child]!, order[child + 1]!)) child++
      if (!before(entry, order[child]!)) break
      order[at] = order[child]!
      at = child
    }
    order[at] = entry
  }
  for (let i = (size >> 1) - 1; i >= 0; i--) down(i, size)
  for (let i = size; i < count; i++) {
    const entry = order[i]!
    if (size === 0 || !before(entry, order[0]!)) continue
    order[i] = order[0]!
    order[0] = entry
    down(0, size)
  }
  for (let last = size - 1; last > 0; last--) {
    const worst = order[0]!
    order[0] = order[last]!
    order[last] = worst
    down(0, last)
  }
  return size
}
