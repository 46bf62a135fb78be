import { mulberry32 } from './mulberry32.ts'

/** A number from the standard normal distribution, by the method of Box and Muller; always the same for the same seed. */
export function normalDraw(seed: number): number {
  const random = mulberry32(seed)
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
