/** Decoded state of the partitions owned, least recently used out first. */
export interface StateCache<State> {
  /** undefined: not cached. null: known to be absent. */
  get(partition: number, key: string): State | null | undefined
  /** `bytes`: of the encoded state; 0 for an absent one. */
  set(partition: number, key: string, state: State | null, bytes: number): void
  /** Forgets everything of a partition. */
  drop(partition: number): void
  /** Estimated memory, bytes. */
  bytes(): number
  /** Reads that were answered from here, and all reads, since the start. */
  hits(): { readonly hits: number; readonly reads: number }
}

interface Entry<State> {
  readonly state: State | null
  readonly bytes: number
}

/** Decoded columns and strings take about three times the encoded bytes; an entry of the map and its key about 300 more. */
const decodedFactor = 3
const entryBytes = 300

/** A cache of at most `maxBytes` (estimated). */
export function createStateCache<State>(maxBytes: number): StateCache<State> {
  // One map per partition so that a revoked one goes at once; the oldest entry of the largest goes when room is needed.
  const partitions = new Map<number, Map<string, Entry<State>>>()
  const sizes = new Map<number, number>()
  let total = 0
  let hits = 0
  let reads = 0

  const resize = (partition: number, by: number) => {
    total += by
    sizes.set(partition, (sizes.get(partition) ?? 0) + by)
  }
  const remove = (partition: number, entries: Map<string, Entry<State>>, key: string) => {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    resize(partition, -entry.bytes)
  }

  return {
    get(partition, key) {
      reads++
      const entries = partitions.get(partition)
      const entry = entries?.get(key)
      if (entries === undefined || entry === undefined) return undefined
      hits++
      entries.delete(key)
      entries.set(key, entry)
      return entry.state
    },
    set(partition, key, state, bytes) {
      const entries = partitions.get(partition) ?? new Map<string, Entry<State>>()
      partitions.set(partition, entries)
      remove(partition, entries, key)
      const entry = { state, bytes: bytes * decodedFactor + entryBytes }
      if (entry.bytes > maxBytes) return
      entries.set(key, entry)
      resize(partition, entry.bytes)
      while (total > maxBytes) {
        const [largest] = [...sizes].reduce((most, size) => (size[1] > most[1] ? size : most))
        const from = partitions.get(largest)
        const oldest = from?.keys().next().value
        if (from === undefined || oldest === undefined) return
        remove(largest, from, oldest)
      }
    },
    drop(partition) {
      total -= sizes.get(partition) ?? 0
      sizes.delete(partition)
      partitions.delete(partition)
    },
    bytes: () => total,
    hits: () => ({ hits, reads }),
  }
}
