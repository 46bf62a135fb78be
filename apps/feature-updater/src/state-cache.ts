/** What a stage keeps in memory of the keys of the partitions owned, least recently used out first. */
export interface StateCache<Cached> {
  /** Takes an entry out, so that it is the caller's own; undefined: not cached. */
  take(partition: number, key: string): Cached | undefined
  /** `bytes`: what the entry takes in memory, about, its key and its place apart. */
  set(partition: number, key: string, entry: Cached, bytes: number): void
  /** Forgets everything of a partition. */
  drop(partition: number): void
  /** Estimated memory, bytes. */
  bytes(): number
  /** Reads that were answered from here, and all reads, since the start. */
  hits(): { readonly hits: number; readonly reads: number }
}

interface Entry<Cached> {
  readonly entry: Cached
  readonly bytes: number
}

/** Of an entry in a map with a short key, bytes. */
const placeBytes = 120

/** A cache of at most `maxBytes` (estimated). */
export function createStateCache<Cached>(maxBytes: number): StateCache<Cached> {
  // One map per partition so that a revoked one goes at once; the oldest entry of the largest goes when room is needed.
  const partitions = new Map<number, Map<string, Entry<Cached>>>()
  const sizes = new Map<number, number>()
  let total = 0
  let hits = 0
  let reads = 0

  const resize = (partition: number, by: number) => {
    total += by
    sizes.set(partition, (sizes.get(partition) ?? 0) + by)
  }
  const remove = (partition: number, entries: Map<string, Entry<Cached>>, key: string) => {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    resize(partition, -entry.bytes)
  }

  return {
    take(partition, key) {
      reads++
      const entries = partitions.get(partition)
      const entry = entries?.get(key)
      if (entries === undefined || entry === undefined) return undefined
      hits++
      remove(partition, entries, key)
      return entry.entry
    },
    set(partition, key, entry, bytes) {
      const entries = partitions.get(partition) ?? new Map<string, Entry<Cached>>()
      partitions.set(partition, entries)
      remove(partition, entries, key)
      const size = bytes + placeBytes + 2 * key.length
      if (size > maxBytes) return
      entries.set(key, { entry, bytes: size })
      resize(partition, size)
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
