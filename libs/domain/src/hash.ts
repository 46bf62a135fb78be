const prime = 0x100000001b3n
const mask = 0xffffffffffffffffn

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
  let low = 0x84222325
  let high = 0xcbf29ce4
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0
    // 0x100000001b3 = 2^40 + 0x1b3: multiply in halves so that nothing leaves 53 bits.
    const lowProduct = low * 0x1b3
    const carry = Math.floor(lowProduct / 0x100000000)
    high = (Math.imul(high, 0x1b3) + (low << 8) + carry) >>> 0
    low = lowProduct >>> 0
  }
  return avalanche((BigInt(high) << 32n) | BigInt(low))
}

function avalanche(value: bigint): bigint {
  let h = value
  h ^= h >> 33n
  h = (h * 0xff51afd7ed558ccdn) & mask
  h ^= h >> 33n
  h = (h * (prime | 0xc4ceb9fe00000000n)) & mask
  return h ^ (h >> 33n)
}
