/** The rows of the `count` highest utilities, best first; of equal ones the earlier row comes first. All rows if there are fewer. */
export function topRows(utilities: Float32Array, count: number): Int32Array {
  const size = Math.min(count, utilities.length)
  const best = new Int32Array(size)
  let held = 0
  for (let row = 0; row < utilities.length; row++) {
    const utility = utilities[row]!
    if (held === size && !(utility > utilities[best[held - 1]!]!)) continue
    let at = held < size ? held++ : held - 1
    for (; at > 0 && utility > utilities[best[at - 1]!]!; at--) best[at] = best[at - 1]!
    best[at] = row
  }
  return best
}
