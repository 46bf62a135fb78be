/** Remembers signatures for the time in which they could be sent again, as fingerprints of 64 bits, in bounded memory. */
export interface Fingerprints {
  /** Adds a signature of at least 8 bytes. `known`: it was added before. `full`: there is no room for it. */
  add(signature: Uint8Array, timeMs: number): 'added' | 'known' | 'full'
}

interface Bucket {
  readonly at: number
  table: Uint32Array
  count: number
}

const firstSlots = 1_024
/** A signature may be remembered this much longer than it could be sent again. */
const bucketMs = 30_000

/**
 * Creates the memory. A signature is accepted until `windowMs` after its time, and is remembered until then: it goes into a bucket
 * by its time, and a bucket is dropped when the last time in it is over.
 */
export function createFingerprints({
  windowMs,
  max,
  nowMs,
}: {
  readonly windowMs: number
  readonly max: number
  readonly nowMs: () => number
}): Fingerprints {
  let buckets: readonly Bucket[] = []
  return {
    add(signature, timeMs) {
      const oldest = Math.floor((nowMs() - windowMs) / bucketMs)
      if (buckets.some(({ at }) => at < oldest)) buckets = buckets.filter(({ at }) => at >= oldest)
      const at = Math.floor(timeMs / bucketMs)
      let bucket = buckets.find((each) => each.at === at)
      const view = new DataView(signature.buffer, signature.byteOffset, 8)
      // Two zeros mark an empty slot, so the first word is never 0.
      const high = view.getUint32(0) | 1
      const low = view.getUint32(4)
      if (bucket !== undefined && has(bucket.table, high >>> 0, low)) return 'known'
      if (buckets.reduce((sum, { count }) => sum + count, 0) >= max) return 'full'
      if (bucket === undefined) {
        bucket = { at, table: new Uint32Array(2 * firstSlots), count: 0 }
        buckets = [...buckets, bucket]
      }
      // The table has two words for each slot.
      if (8 * (bucket.count + 1) > 3 * bucket.table.length) bucket.table = enlarged(bucket.table)
      put(bucket.table, high >>> 0, low)
      bucket.count++
      return 'added'
    },
  }
}

/** The index of an entry, or of the empty slot where it belongs. Tables have a power of two of slots and are at most three quarters full. */
function slotOf(table: Uint32Array, high: number, low: number): number {
  const mask = table.length / 2 - 1
  let slot = low & mask
  while (table[2 * slot] !== 0 && (table[2 * slot] !== high || table[2 * slot + 1] !== low)) slot = (slot + 1) & mask
  return slot
}

function has(table: Uint32Array, high: number, low: number): boolean {
  return table[2 * slotOf(table, high, low)] !== 0
}

function put(table: Uint32Array, high: number, low: number): void {
  const slot = slotOf(table, high, low)
  table[2 * slot] = high
  table[2 * slot + 1] = low
}

function enlarged(table: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * table.length)
  for (let at = 0; at < table.length; at += 2) if (table[at] !== 0) put(larger, table[at]!, table[at + 1]!)
  return larger
}
