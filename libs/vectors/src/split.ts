const rounds = 5

/** A side with less than this share would leave cells too unequal to bound the work on them. */
const smallestShare = 1 / 8

/**
 * Divides vectors (row after row) into two halves of near ones: two-means from two far points, without chance.
 * Returns a side (0 or 1) per vector, neither empty; what can't be told apart is divided by order along the line
 * between the two means.
 */
export function splitInTwo(vectors: Float32Array, dimensions: number): Uint8Array {
  const n = vectors.length / dimensions
  const means = [new Float64Array(dimensions), new Float64Array(dimensions)] as const
  const centre = new Float64Array(dimensions)
  for (let at = 0; at < vectors.length;) for (let d = 0; d < dimensions; d++) centre[d]! += vectors[at++]! / n
  copy(vectors, farthest(vectors, dimensions, centre), means[0])
  copy(vectors, farthest(vectors, dimensions, means[0]), means[1])
  const sides = new Uint8Array(n)
  const leanings = new Float64Array(n)
  const between = new Float64Array(dimensions)
  for (let round = 0; round < rounds; round++) {
    let bias = 0
    for (let d = 0; d < dimensions; d++) {
      between[d] = means[1][d]! - means[0][d]!
      bias += ((means[1][d]! + means[0][d]!) / 2) * between[d]!
    }
    let ones = 0
    for (let r = 0, at = 0; r < n; r++) {
      let leaning = -bias
      for (let d = 0; d < dimensions; d++, at++) leaning += vectors[at]! * between[d]!
      leanings[r] = leaning
      sides[r] = leaning > 0 ? 1 : 0
      ones += sides[r]!
    }
    if (Math.min(ones, n - ones) < n * smallestShare) {
      // Too lopsided: cut at the quantile that leaves each side its share.
      const order = Array.from(leanings.keys()).sort((a, b) => leanings[a]! - leanings[b]! || a - b)
      const cut = ones < n - ones ? n - Math.ceil(n / 4) : Math.ceil(n / 4)
      for (let i = 0; i < n; i++) sides[order[i]!] = i < cut ? 0 : 1
      ones = n - cut
    }
    means[0].fill(0)
    means[1].fill(0)
    for (let r = 0, at = 0; r < n; r++) {
      const mean = means[sides[r]! as 0 | 1]
      const share = 1 / (sides[r] === 1 ? ones : n - ones)
      for (let d = 0; d < dimensions; d++, at++) mean[d]! += vectors[at]! * share
    }
  }
  return sides
}

function copy(vectors: Float32Array, row: number, out: Float64Array): void {
  for (let d = 0; d < out.length; d++) out[d] = vectors[row * out.length + d]!
}

function farthest(vectors: Float32Array, dimensions: number, from: Float64Array): number {
  let best = 0
  let bestDistance = -1
  for (let at = 0, r = 0; at < vectors.length; r++) {
    let distance = 0
    for (let d = 0; d < dimensions; d++, at++) distance += (vectors[at]! - from[d]!) ** 2
    if (distance > bestDistance) {
      bestDistance = distance
      best = r
    }
  }
  return best
}
