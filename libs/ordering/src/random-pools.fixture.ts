import fc from 'fast-check'
import { classesOf, type Classes } from './classes.ts'
import { placementOf, type Placement } from './placement.ts'

/** Pools of 1 to 60 candidates with falling utilities, of any sign and scale. */
export const anyPool: fc.Arbitrary<Placement> = fc
  .tuple(
    fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 }),
    fc.constantFrom(1e-3, 1, 1e4),
  )
  .map(([values, scale]) => placementOf(Float32Array.from(values, (value) => value * scale).sort((a, b) => b - a)))

/** Classes of `size` candidates: each has up to `width` of a few classes, or none. */
export function anyClasses(size: number, width = 2): fc.Arbitrary<Classes> {
  return fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: size * width, maxLength: size * width })
    .map((keys) => classesOf({ keys: Uint32Array.from(keys), width }))
}
