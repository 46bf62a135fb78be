import { mix32 } from '@freshet/domain/hash'

/** Length of a vector in int8. */
export const int8Length = 127

/** Writes a shorter vector whose cosines with others are about those of the given ones, scaled to length 127. */
export type Projection = (vector: Float32Array, into: Int8Array, at: number) => void

/**
 * A random projection of vectors of one width to `width` numbers, with signs that follow from `seed` (Achlioptas, 2003). Cosines
 * deviate by about 1/√width. A vector that is not longer than `width` is copied.
 */
export function createProjection(given: number, width: number, seed: number): Projection {
  const isCopied = given <= width
  const signs = Float32Array.from({ length: isCopied ? 0 : given * width }, (_, i) =>
    (mix32(i ^ mix32(seed)) & 1) === 0 ? 1 : -1,
  )
  const projected = new Float32Array(width)
  return (vector, into, at) => {
    projected.fill(0)
    if (isCopied) projected.set(vector)
    else
      for (let i = 0; i < given; i++)
        for (let k = 0; k < width; k++) projected[k] = projected[k]! + vector[i]! * signs[i * width + k]!
    let squares = 0
    for (const value of projected) squares += value * value
    const scale = squares > 0 ? int8Length / Math.sqrt(squares) : 0
    for (let k = 0; k < width; k++) into[at + k] = Math.round(projected[k]! * scale)
  }
}

/** Adds the random direction of a key: a vector of signs that follow from it. Sums of directions are alike if they share keys. */
export function addDirection(key: number, into: Float32Array, at: number, width: number): void {
  for (let k = 0; k < width; k += 32) {
    const bits = mix32(key ^ mix32(k + 1))
    const end = Math.min(width, k + 32)
    for (let i = k; i < end; i++) into[at + i] = into[at + i]! + ((bits >>> (i - k)) & 1 ? 1 : -1)
  }
}

/** A class of vectors that point to about the same direction: the signs of the first `bits` numbers (Charikar, 2002). Never 0. */
export function signClass(vector: Int8Array, at: number, bits: number): number {
  let signs = 1
  for (let i = 0; i < bits; i++) signs = (signs << 1) | (vector[at + i]! >= 0 ? 1 : 0)
  return signs
}
