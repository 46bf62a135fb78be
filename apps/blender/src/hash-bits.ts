/** A set of hashes of which only some lower bits are kept, one bit for each: without false negatives. */
export type HashBits = Uint32Array

/** With 8 places for each hash, one of 8 other hashes is taken for one of the set. */
const placesPerHash = 8
const leastPlaces = 256
const mostPlaces = 1 << 16

/** An empty set for about `count` hashes. It keeps at most the lower 16 bits of a hash. */
export function createHashBits(count: number): HashBits {
  let places = leastPlaces
  while (places < count * placesPerHash && places < mostPlaces) places *= 2
  return new Uint32Array(places / 32)
}

export function addHash(bits: HashBits, hash: number): void {
  const place = (hash >>> 5) & (bits.length - 1)
  bits[place] = bits[place]! | (1 << (hash & 31))
}

/** Whether a hash may be in the set. */
export function mayContain(bits: HashBits, hash: number): boolean {
  return ((bits[(hash >>> 5) & (bits.length - 1)]! >>> (hash & 31)) & 1) === 1
}
