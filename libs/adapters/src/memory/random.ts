import { hash32 } from '@freshet/domain/hash'
import type { Random } from '@freshet/domain/clock'

/** Repeatable random numbers of 53 bits: equal seeds, equal streams. sfc32 (C. Doty-Humphrey, PractRand). */
export function createSeededRandom(seed: number | string): Random {
  const text = String(seed)
  let a = hash32(text, 1)
  let b = hash32(text, 2)
  let c = hash32(text, 3)
  let counter = 1
  const draw = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 12; i++) draw()
  return { next: () => ((draw() >>> 5) * 0x4000000 + (draw() >>> 6)) / 0x20000000000000 }
}
