import { mix32 } from '@freshet/domain/hash'

/** A line of a recording. */
export type Line = Readonly<Record<string, unknown>>

/** Seeded draws for invented data. */
export interface Draw {
  /** A whole number from 0 to below `below`. */
  draw(below: number): number
  /** A number from 0 to below 1. */
  unit(): number
  /** A place among `count`, by Zipf's law with exponent 1, by inversion. */
  zipf(count: number): number
  /** From a normal distribution with mean 0 and variance 1 (Box and Muller). */
  normal(): number
}

/** Draws that are the same for the same seed. */
export function createDraw(seed: number): Draw {
  let draws = seed * 7_919
  const draw = (below: number): number => Math.floor((mix32(++draws * 2_654_435_761) / 2 ** 32) * below)
  const unit = (): number => draw(1 << 20) / (1 << 20)
  return {
    draw,
    unit,
    zipf: (count) => Math.min(count - 1, Math.floor(Math.exp(unit() * Math.log(count + 1))) - 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  }
}

/** Takes one of the entries with probability in proportion to its weight; -1 where all are 0. */
export function weighted(weights: readonly number[], { unit }: Draw): number {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  let left = unit() * sum
  for (let at = 0; at < weights.length; at++) {
    left -= weights[at] ?? 0
    if (left < 0) return at
  }
  return weights.findLastIndex((weight) => weight > 0)
}
