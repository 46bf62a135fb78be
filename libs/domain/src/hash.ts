/** 32-bit hash of a string under a seed, well mixed, the same on every machine: orders ties and splits streams. */
export function hash32(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) | 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix32(h)
}

/** Finaliser of MurmurHash3: every input bit reaches every output bit. Unsigned. */
export function mix32(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 64-bit FNV-1a over UTF-8 bytes with an avalanche at the end, unsigned: dedupe ids. With n ids the chance that a new one collides is n / 1.8e19. */
export function hash64(bytes: Uint8Array): bigint {
  begin()
  add(bytes, 0, bytes.length)
  avalanche()
  return (BigInt(high) << 32n) | BigInt(low)
}

/**
 * 53-bit hash of a string, a whole number that is exact as a double. It replaces an id that is not kept.
 * Its upper 32 bits are `hash32`, the others come from another hash. With n of them the chance that a new one collides is n / 9e15.
 */
export function hash53(text: string): number {
  begin()
  for (let i = 0; i < text.length; i++) step(text.charCodeAt(i))
  avalanche()
  return hash32(text) * 0x200000 + (low >>> 11)
}

/** The `hash32` within a `hash53`. */
export function hash32Within(hash: number): number {
  return Math.floor(hash / 0x200000)
}

/**
 * The hash of two parts of some bytes with a space between them, written as its low and its high half to `into` from `at`
 * on. It runs for every event, so it allocates neither an object nor a 64-bit number.
 */
export function hashPair64(
  bytes: Uint8Array,
  from: number,
  to: number,
  otherFrom: number,
  otherTo: number,
  into: Uint32Array,
  at: number,
): void {
  begin()
  add(bytes, from, to)
  add(space, 0, 1)
  add(bytes, otherFrom, otherTo)
  avalanche()
  into[at] = low
  into[at + 1] = high
}

const space = Uint8Array.of(0x20)

// The current hash, in halves: a 64-bit number would allocate at every step.
let low = 0
let high = 0

function begin(): void {
  low = 0x84222325
  high = 0xcbf29ce4
}

function add(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) step(bytes[i] ?? 0)
}

function step(unit: number): void {
  low = (low ^ unit) >>> 0
  // 0x100000001b3 = 2^40 + 0x1b3: multiply in halves so that nothing leaves 53 bits.
  const lowProduct = low * 0x1b3
  const carry = Math.floor(lowProduct / 0x100000000)
  high = (Math.imul(high, 0x1b3) + (low << 8) + carry) >>> 0
  low = lowProduct >>> 0
}

/** Finaliser of MurmurHash3 for 64 bits, the second factor's low half that of FNV's prime. */
function avalanche(): void {
  // h ^= h >> 33 changes only the low half.
  low = (low ^ (high >>> 1)) >>> 0
  times(0xff51afd7, 0xed558ccd)
  low = (low ^ (high >>> 1)) >>> 0
  times(0xc4ceb9fe, 0x000001b3)
  low = (low ^ (high >>> 1)) >>> 0
}

/** Multiplies modulo 2^64, the low halves in pieces of 16 bits. */
function times(factorHigh: number, factorLow: number): void {
  const a0 = low & 0xffff
  const a1 = low >>> 16
  const b0 = factorLow & 0xffff
  const b1 = factorLow >>> 16
  const middle = a1 * b0 + Math.floor((a0 * b0) / 0x10000)
  const other = a0 * b1 + (middle % 0x10000)
  const upper = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
  high = (upper + Math.imul(high, factorLow) + Math.imul(low, factorHigh)) >>> 0
  low = Math.imul(low, factorLow) >>> 0
}
