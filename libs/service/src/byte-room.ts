/** A bound on the bytes of requests in memory: complete requests that wait, and requests that are still arriving. */
export interface ByteRoom {
  /** Counts `bytes` of a complete request; null: there is no room. The returned function releases them, once. */
  take(bytes: number): (() => void) | null
  /** Counts a request while it arrives. The room calls `onEvicted` after it released the request's bytes because other requests need them. */
  receive(onEvicted: () => void): Receiving
  bytes(): number
  /** Resolves when all taken bytes are released. */
  idle(): Promise<void>
}

/** A request that is still arriving. */
export interface Receiving {
  /** Counts more bytes; false: there is no room. */
  grow(bytes: number): boolean
  /** Releases all of its bytes, once. */
  end(): void
}

interface Arrival {
  bytes: number
  readonly sinceMs: number
  readonly evict: () => void
}

/** The room does not evict a request that has been arriving for at most this time. */
const patienceMs = 1_000

/**
 * A bound of `maxBytes`. A single request larger than the bound fits when the room is empty. When there is no room, it
 * evicts requests that have been arriving for more than a second, the longest first. Otherwise a few clients that send
 * slowly would block all others.
 */
export function createByteRoom(maxBytes: number, nowMs: () => number): ByteRoom {
  let bytes = 0
  let taken = 0
  /** In order of arrival, the oldest first. */
  const arriving = new Set<Arrival>()
  let waiting: (() => void)[] = []

  const makeRoom = (more: number, own: Arrival | null): boolean => {
    for (const arrival of arriving) {
      if (bytes + more <= maxBytes) return true
      if (nowMs() - arrival.sinceMs <= patienceMs) break
      if (arrival === own || arrival.bytes === 0) continue
      leave(arrival)
      arrival.evict()
    }
    return bytes + more <= maxBytes || bytes === (own?.bytes ?? 0)
  }
  const leave = (arrival: Arrival): void => {
    if (!arriving.delete(arrival)) return
    bytes -= arrival.bytes
  }

  return {
    take(more) {
      if (!makeRoom(more, null)) return null
      bytes += more
      taken++
      let given = false
      return () => {
        if (given) return
        given = true
        bytes -= more
        taken--
        if (taken > 0) return
        for (const wake of waiting) wake()
        waiting = []
      }
    },
    receive(evict) {
      const arrival: Arrival = { bytes: 0, sinceMs: nowMs(), evict }
      arriving.add(arrival)
      return {
        grow(more) {
          if (!arriving.has(arrival) || !makeRoom(more, arrival)) return false
          arrival.bytes += more
          bytes += more
          return true
        },
        end: () => leave(arrival),
      }
    },
    bytes: () => bytes,
    idle: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
