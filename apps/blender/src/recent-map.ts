/** A map that keeps the most recently used entries. */
export interface RecentMap<Key, Value> {
  readonly size: number
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
  delete(key: Key): void
  keys(): IterableIterator<Key>
}

/** A map of at most `max` entries. It drops the least recently used entry first. */
export function createRecentMap<Key, Value>(max: number): RecentMap<Key, Value> {
  const entries = new Map<Key, Value>()
  return {
    get size() {
      return entries.size
    },
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > max) entries.delete(entries.keys().next().value as Key)
    },
    delete: (key) => entries.delete(key),
    keys: () => entries.keys(),
  }
}
