const low = -4
const high = 9
const stepsPerUnit = 32
const table = build()

/** The chance that a standard normal number exceeds `z`, from a table of 1/32 steps: 1 below −4, 0 above 9. */
export function normalTail(z: number): number {
  if (!(z > low)) return 1
  if (z >= high) return 0
  return table[((z - low) * stepsPerUnit) | 0]!
}

/**
 * The same for a mixture of normals whose variance is log-normal with mean 1 and variance `unevenness` of its logarithm
 * (three points of Gauss and Hermite): a bell with heavy tails.
 */
export function unevenTail(z: number, unevenness: number): number {
  if (unevenness < 0.05) return normalTail(z)
  const step = Math.exp(Math.sqrt(3 * unevenness) / 2)
  // So scaled that the mean of the three variances is 1.
  const level = z * Math.sqrt(2 / 3 + (step * step + 1 / (step * step)) / 6)
  return (2 / 3) * normalTail(level) + (normalTail(level / step) + normalTail(level * step)) / 6
}

function build(): Float64Array {
  const out = new Float64Array((high - low) * stepsPerUnit)
  // Trapezoids of the density from far right, so that small tails keep their digits.
  const fine = 64
  let tail = 0
  for (let i = (high - low) * stepsPerUnit - 1; i >= 0; i--) {
    for (let j = fine; j > 0; j--) {
      const right = low + (i + j / fine) / stepsPerUnit
      const left = low + (i + (j - 1) / fine) / stepsPerUnit
      tail += ((density(left) + density(right)) / 2) * (right - left)
    }
    out[i] = tail
  }
  return out
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
}
