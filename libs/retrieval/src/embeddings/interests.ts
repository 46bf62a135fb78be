/** How a user's pins are grouped. */
export interface InterestsOptions {
  /** Pins that are grouped at most, the first ones given. */
  readonly maxPins: number
  /** Groups stay apart when merging them would add more than this to the squared distances within groups (of unit vectors: 0 to 2 a pair). */
  readonly maxSpread: number
}

/** A user's interests, each represented by its medoid pin. */
export interface Interests {
  readonly count: number
  /** Index of the medoid among the pins given, and the sum of its group's weights; largest weight first. */
  readonly medoids: Int32Array
  readonly weights: Float64Array
  /** Index of the group's first pin among those given. */
  readonly firsts: Int32Array
  /** Groups `count` pins of unit vectors and their weights. */
  group(pins: {
    readonly count: number
    readonly vectors: readonly Float32Array[]
    readonly weights: Float64Array
  }): void
}

/** Ward's clustering as in PinnerSage: the two groups whose union spreads least are merged until that spreads too much. Equal spreads merge the earlier pins first. */
export function createInterests({ maxPins, maxSpread }: InterestsOptions): Interests {
  const spread = new Float64Array(maxPins * maxPins)
  const sizes = new Float64Array(maxPins)
  const groupOf = new Int32Array(maxPins)
  const medoids = new Int32Array(maxPins)
  const weights = new Float64Array(maxPins)
  const firsts = new Int32Array(maxPins)
  let count = 0

  // What merging the groups of a and b adds (Lance and Williams), for all others.
  function merge(a: number, b: number, n: number): void {
    const [sizeA, sizeB, together] = [sizes[a]!, sizes[b]!, spread[a * maxPins + b]!]
    for (let other = 0; other < n; other++) {
      if (groupOf[other] !== other || other === a || other === b) continue
      const size = sizes[other]!
      const toA = spread[a * maxPins + other]!
      const toB = spread[b * maxPins + other]!
      const merged = ((size + sizeA) * toA + (size + sizeB) * toB - size * together) / (size + sizeA + sizeB)
      spread[a * maxPins + other] = merged
      spread[other * maxPins + a] = merged
    }
    sizes[a] = sizeA + sizeB
    for (let i = 0; i < n; i++) if (groupOf[i] === b) groupOf[i] = a
  }

  function closest(n: number): readonly [number, number] | null {
    let least = maxSpread
    let found: readonly [number, number] | null = null
    for (let a = 0; a < n; a++) {
      if (groupOf[a] !== a) continue
      for (let b = a + 1; b < n; b++) {
        if (groupOf[b] !== b || !(spread[a * maxPins + b]! < least)) continue
        least = spread[a * maxPins + b]!
        found = [a, b]
      }
    }
    return found
  }

  function findMedoid(group: number, n: number, vectors: readonly Float32Array[]): number {
    let best = group
    let bestSum = -Infinity
    for (let i = 0; i < n; i++) {
      if (groupOf[i] !== group) continue
      let sum = 0
      for (let j = 0; j < n; j++) if (groupOf[j] === group) sum += dot(vectors[i], vectors[j])
      if (sum <= bestSum) continue
      best = i
      bestSum = sum
    }
    return best
  }

  return {
    get count() {
      return count
    },
    medoids,
    weights,
    firsts,
    group(pins) {
      const n = Math.min(pins.count, maxPins)
      for (let a = 0; a < n; a++) {
        groupOf[a] = a
        sizes[a] = 1
        for (let b = 0; b < n; b++) spread[a * maxPins + b] = 1 - dot(pins.vectors[a], pins.vectors[b])
      }
      for (let pair = closest(n); pair !== null; pair = closest(n)) merge(pair[0], pair[1], n)
      count = 0
      for (let group = 0; group < n; group++) {
        if (groupOf[group] !== group) continue
        let weight = 0
        for (let i = 0; i < n; i++) if (groupOf[i] === group) weight += pins.weights[i]!
        let at = count++
        for (; at > 0 && weights[at - 1]! < weight; at--) {
          weights[at] = weights[at - 1]!
          medoids[at] = medoids[at - 1]!
          firsts[at] = firsts[at - 1]!
        }
        weights[at] = weight
        firsts[at] = group
        medoids[at] = findMedoid(group, n, pins.vectors)
      }
    },
  }
}

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined) return 0
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
