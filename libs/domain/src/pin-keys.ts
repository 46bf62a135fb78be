import { mix32 } from './hash.ts'

/** 64-bit hashes of pin ids in two columns. Served sets, pin facts and the search identify pins by them. */
export interface PinKeys {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

/** The hashes of pin ids, in their order. Two lanes with multipliers of their own over UTF-16 code units, each mixed at the end: with n known pins, another pin is mistaken for one of them with probability n / 1.8e19. */
export function pinKeysOf(pinIds: readonly string[]): PinKeys {
  const high = new Uint32Array(pinIds.length)
  const low = new Uint32Array(pinIds.length)
  for (let row = 0; row < pinIds.length; row++) writePinKey(pinIds[row] as string, high, low, row)
  return { high, low }
}

/** The hashes of pin ids, and `hash32` of each, from one pass over its letters. */
export interface HashedPinKeys extends PinKeys {
  readonly hashes: Uint32Array
}

/** The hashes of pin ids and their `hash32`, in their order. */
export function hashedPinKeysOf(pinIds: readonly string[]): HashedPinKeys {
  const high = new Uint32Array(pinIds.length)
  const low = new Uint32Array(pinIds.length)
  const hashes = new Uint32Array(pinIds.length)
  for (let row = 0; row < pinIds.length; row++) hashes[row] = writePinKey(pinIds[row] as string, high, low, row)
  return { high, low, hashes }
}

/** Writes one pin's hash into columns, without allocating an object; for the rows of a view. Returns the `hash32` of the id, whose letters the first lane hashes alike. */
export function writePinKey(pinId: string, high: Uint32Array, low: Uint32Array, row: number): number {
  let a = 0x811c9dc5
  let b = 0x9747b28c ^ pinId.length
  for (let i = 0; i < pinId.length; i++) {
    const unit = pinId.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0xcc9e2d51)
    b = (b << 13) | (b >>> 19)
  }
  high[row] = mix32(a ^ (b >>> 7))
  low[row] = mix32(b + Math.imul(a, 0x1b873593))
  return mix32(a)
}
