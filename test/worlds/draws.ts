import type { Random } from '@freshet/domain/clock'

/** A number of the standard normal distribution (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

/** Milliseconds until the next event of a Poisson process with this mean distance. */
export function exponential(random: Random, meanMs: number): number {
  return -Math.log(1 - random.next()) * meanMs
}

/** A whole number in [0, below). */
export function index(random: Random, below: number): number {
  return Math.floor(random.next() * below)
}

/** A position of `weights`, each as likely as its weight. */
export function weighted(random: Random, weights: readonly number[]): number {
  let rest = random.next() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [at, weight] of weights.entries()) {
    rest -= weight
    if (rest < 0) return at
  }
  return weights.length - 1
}

/** The logistic function. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}
