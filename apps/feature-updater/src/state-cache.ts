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

interface Owned<Cached> {
  readonly entries: Map<string, Entry<Cached>>
  bytes: number
}

/** Of an entry in a map with a short key, bytes. */
const placeBytes = 120

/** A cache of at most `maxBytes` (estimated). */
export function createStateCache<Cached>(maxBytes: number): StateCache<Cached> {
  // One map per partition so that a revoked one goes at once; the oldest entry of the largest goes when room is needed.
  const partitions = new Map<number, Owned<Cached>>()
  let total = 0
  let hits = 0
  let reads = 0

  const remove = (from: Owned<Cached>, key: string): Entry<Cached> | undefined => {
    const entry = from.entries.get(key)
    if (entry === undefined) return undefined
    from.entries.delete(key)
    from.bytes -= entry.bytes
    total -= entry.bytes
    return entry
  }

  const makeRoom = (): void => {
    while (total > maxBytes) {
      const largest = [...partitions.values()].reduce((most, owned) => (owned.bytes > most.bytes ? owned : most))
      const oldest = largest.entries.keys().next().value
      if (oldest === undefined) return
      remove(largest, oldest)
    }
  }

  return {
    take(partition, key) {
      reads++
      const owned = partitions.get(partition)
      const entry = owned === undefined ? undefined : remove(owned, key)
      if (entry === undefined) return undefined
      hits++
      return entry.entry
    },
    set(partition, key, entry, bytes) {
      const owned = partitions.get(partition) ?? { entries: new Map<string, Entry<Cached>>(), bytes: 0 }
      partitions.set(partition, owned)
      remove(owned, key)
      const size = bytes + placeBytes + 2 * key.length
      if (size > maxBytes) return
      owned.entries.set(key, { entry, bytes: size })
      owned.bytes += size
      total += size
      makeRoom()
    },
    drop(partition) {
      total -= partitions.get(partition)?.bytes ?? 0
      partitions.delete(partition)
    },
    bytes: () => total,
    hits: () => ({ hits, reads }),
  }
}
