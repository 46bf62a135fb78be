/** Bytes that requests hold, bounded: those that wait for something, and those that are being received. */
export interface ByteRoom {
  /** Counts `bytes` of a request that is complete; null: there is no room. The function returned gives them back, once. */
  take(bytes: number): (() => void) | null
  /** Counts a request while it is being received. `onEvicted` is called when it has to give its bytes up because others need the room; they are given back already. */
  receive(onEvicted: () => void): Receiving
  bytes(): number
  /** Resolves when nothing that was taken waits any more. */
  idle(): Promise<void>
}

/** A request that is being received. */
export interface Receiving {
  /** Counts more bytes; false: there is no room. */
  grow(bytes: number): boolean
  /** Gives all of its bytes back, once. */
  end(): void
}

interface Arrival {
  bytes: number
  readonly sinceMs: number
  readonly evict: () => void
}

/** A request that takes no longer than this to arrive is never evicted. */
const patienceMs = 1_000

/**
 * A bound of `maxBytes`. A single request larger than the bound fits when there is nothing else. Where there is no room,
 * requests that have been arriving for more than a second give way, the longest first: else a few clients that send
 * slowly would shut out everybody.
 */
export function createByteRoom(maxBytes: number, nowMs: () => number): ByteRoom {
  let bytes = 0
  let taken = 0
  /** The longest first. */
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
