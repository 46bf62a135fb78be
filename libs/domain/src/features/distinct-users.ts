import { hash32 } from '../hash.ts'
import { scalarOver, type Feature } from './feature.ts'

/** Registers of the sketch; the standard error is 1.04 / √256 = 6.5 %. */
export const registers = 256

/**
 * HyperLogLog (Flajolet et al. 2007) of the users who opened, clicked or saved the pin, so that one user or bot cannot
 * make a trend: rank of the highest run of zeros per register. A maximum, so order and repeats do not matter.
 */
export type DistinctUsers = Uint8Array

/** The empty sketch. */
export const noUsers: DistinctUsers = new Uint8Array(registers)

/** Adds a user in place. */
export function foldUserInto(sketch: DistinctUsers, userId: string): void {
  const hash = hash32(userId, 0x5bd1e995)
  const register = hash % registers
  const rank = Math.clz32(hash >>> 8) - 8 + 1
  if (rank > (sketch[register] ?? 0)) sketch[register] = rank
}

/** `2^(−rank)` by rank. */
const powers = Float64Array.from({ length: 256 }, (_, rank) => 2 ** -rank)

/** Estimated number of distinct users; linear counting while some registers are empty, because it is more exact there. */
export function distinctUsers(sketch: DistinctUsers): number {
  let empty = 0
  let even = 0
  let odd = 0
  // Two partial sums, without an iterator. Powers of two add up exactly.
  for (let register = 0; register < registers; register += 2) {
    const one = sketch[register] ?? 0
    const other = sketch[register + 1] ?? 0
    if (one === 0) empty++
    if (other === 0) empty++
    even += powers[one] ?? 0
    odd += powers[other] ?? 0
  }
  const sum = even + odd
  const raw = (0.7213 / (1 + 1.079 / registers)) * registers * (registers / sum)
  return raw <= 2.5 * registers && empty > 0 ? registers * Math.log(registers / empty) : raw
}

/** What these features read of a page. */
interface DistinctUserPage {
  readonly pins: readonly ({ readonly users: number } | null)[]
}

const scalar = scalarOver<DistinctUserPage>()

/** The number of different users who liked the pin. */
export const distinctUserFeatures: readonly Feature<DistinctUserPage>[] = [
  scalar({
    name: 'pin_users',
    unit: 'estimated users',
    missing: 0,
    needs: ['pin'],
    column: ({ pins }, out) => {
      for (let row = 0; row < pins.length; row++) out[row] = pins[row]?.users ?? NaN
    },
  }),
]
