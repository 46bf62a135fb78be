/** What the page finds in its browser: the clock, chance, timers and storage. Other files take these from here. */

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now()
}

/** Milliseconds since the page began, for measuring. */
export function elapsedMs(): number {
  return performance.now()
}

/** An id that no other page makes. */
export function newId(): string {
  return crypto.randomUUID()
}

/** Calls back after a time; the returned function cancels that. */
export function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  return () => {
    clearTimeout(timer)
  }
}

/** A value that this browser (`local`) or this tab (`session`) keeps; null: none, or storage is forbidden. */
export function readStored(where: 'local' | 'session', key: string): string | null {
  try {
    return storageOf(where).getItem(key)
  } catch {
    return null
  }
}

/** Keeps a value; null removes it. Does nothing where storage is forbidden. */
export function writeStored(where: 'local' | 'session', key: string, value: string | null): void {
  try {
    if (value === null) storageOf(where).removeItem(key)
    else storageOf(where).setItem(key, value)
  } catch {
    // The page works without.
  }
}

function storageOf(where: 'local' | 'session'): Storage {
  return where === 'local' ? localStorage : sessionStorage
}
