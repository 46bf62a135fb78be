const iterations = 12

/** The number of the centre that is nearest to the vector at `at`; the first of equally near ones. −1: there are none. */
export function nearestCentre(vectors: Float64Array, at: number, width: number, centres: Float64Array): number {
  let best = -1
  let bestDistance = Infinity
  for (let centre = 0; centre * width < centres.length; centre++) {
    const distance = squaredDistance(vectors, at, centres, centre * width, width)
    if (distance < bestDistance) {
      best = centre
      bestDistance = distance
    }
  }
  return best
}

/**
 * At most `count` centres of vectors by k-means (Lloyd 1982), `width` numbers each, one after the other. They begin as
 * k-means++ draws them (Arthur, Vassilvitskii 2007); there are fewer if there are fewer different vectors.
 */
export function clusterCentres(
  vectors: Float64Array,
  width: number,
  count: number,
  random: () => number,
): Float64Array {
  const centres = firstCentres(vectors, width, count, random)
  for (let iteration = 0; iteration < iterations; iteration++) moveToMeans(vectors, width, centres)
  return centres
}

function firstCentres(vectors: Float64Array, width: number, count: number, random: () => number): Float64Array {
  const rows = vectors.length / width
  const chosen: number[] = rows === 0 ? [] : [Math.floor(random() * rows)]
  const distances = new Float64Array(rows).fill(Infinity)
  while (chosen.length > 0 && chosen.length < count) {
    let total = 0
    for (let row = 0; row < rows; row++) {
      const distance = squaredDistance(vectors, row * width, vectors, chosen.at(-1) * width, width)
      distances[row] = Math.min(distances[row]!, distance)
      total += distances[row]!
    }
    if (total === 0) break
    let left = random() * total
    let next = 0
    for (let row = 0; row < rows; row++) {
      if (distances[row] === 0) continue
      next = row
      left -= distances[row]!
      if (left < 0) break
    }
    chosen.push(next)
  }
  const centres = new Float64Array(chosen.length * width)
  chosen.forEach((row, at) => centres.set(vectors.subarray(row * width, (row + 1) * width), at * width))
  return centres
}

/** Moves each centre to the mean of the vectors that are nearest to it; one without vectors stays. */
function moveToMeans(vectors: Float64Array, width: number, centres: Float64Array): void {
  const sums = new Float64Array(centres.length)
  const counts = new Uint32Array(centres.length / width)
  for (let at = 0; at < vectors.length; at += width) {
    const centre = nearestCentre(vectors, at, width, centres)
    counts[centre]!++
    for (let column = 0; column < width; column++) sums[centre * width + column]! += vectors[at + column]!
  }
  for (let at = 0; at < centres.length; at++) {
    const rows = counts[Math.floor(at / width)]!
    if (rows > 0) centres[at] = sums[at]! / rows
  }
}

function squaredDistance(a: Float64Array, atA: number, b: Float64Array, atB: number, width: number): number {
  let sum = 0
  for (let column = 0; column < width; column++) {
    const difference = a[atA + column]! - b[atB + column]!
    sum += difference * difference
  }
  return sum
}
