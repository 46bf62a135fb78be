/** Probability that a standard normal number is below `z`. Error below 1e-12 within ±8. */
export function normalBelow(z: number): number {
  const half = gammaAbove(0.5, (z * z) / 2) / 2
  return z < 0 ? half : 1 - half
}

/** Probability that a standard normal number is farther from 0 than `z`: a two-sided p-value. */
export function normalBeyond(z: number): number {
  return gammaAbove(0.5, (z * z) / 2)
}

/** Probability that a χ² number with `degrees` degrees of freedom is above `value`. */
export function chiSquareAbove(value: number, degrees: number): number {
  return gammaAbove(degrees / 2, value / 2)
}

/** The number below which a standard normal number is with probability `p`, 0 < p < 1, by bisection. */
export function normalQuantile(p: number): number {
  let [low, high] = [-40, 40]
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (normalBelow(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The regularised incomplete gamma function Q(a, x): a series for small x, Lentz's continued fraction otherwise (Numerical Recipes 6.2). */
function gammaAbove(a: number, x: number): number {
  if (!(x > 0)) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 1_000 && Math.abs(term) > Math.abs(sum) * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return Math.max(0, 1 - front * sum)
  }
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let result = d
  for (let n = 1; n < 1_000; n++) {
    const factor = -n * (n - a)
    b += 2
    d = 1 / nonZero(factor * d + b, tiny)
    c = nonZero(b + factor / c, tiny)
    const change = d * c
    result *= change
    if (Math.abs(change - 1) < 1e-15) break
  }
  return Math.min(1, front * result)
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

/** Lanczos coefficients (g = 7, n = 9). */
const lanczos: readonly number[] = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

function logGamma(a: number): number {
  if (a < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * a)) - logGamma(1 - a)
  const z = a - 1
  const t = z + 7.5
  const sum = lanczos.slice(1).reduce((total, coefficient, at) => total + coefficient / (z + at + 1), lanczos[0]!)
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}
