import type { Clock } from '@freshet/domain/clock'

/** A clock that moves only on request: for replay, simulation and tests. */
export interface VirtualClock extends Clock {
  /**
   * Moves on by `ms`. Each sleeper due until then wakes at its own time, in the order of times (equal ones in the order in
   * which they went to sleep), and what it starts runs before the next one wakes. With no sleeper due, it has moved when the call returns.
   */
  advance(ms: number): Promise<void>
  /** Moves to a time, milliseconds since the epoch, as `advance` does; an earlier time moves it back and wakes nobody. */
  set(ms: number): Promise<void>
  /** Moves to a time without waking anybody; an earlier time changes nothing. */
  jump(ms: number): void
  /**
   * Wakes each sleeper that is due now, in the order of `advance`. Whoever goes to sleep meanwhile waits for the next call, so
   * work that repeats every second runs once after a jump of an hour.
   */
  wakeDue(): Promise<void>
  /** The time at which the next sleeper wakes; null: nobody sleeps. */
  nextWake(): number | null
}

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** A virtual clock that stands at `startMs` (default 0), milliseconds since the epoch. */
export function createVirtualClock(startMs = 0): VirtualClock {
  let nowMs = startMs
  const sleepers: Sleeper[] = []

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const moveTo = async (targetMs: number): Promise<void> => {
    for (let first = sleepers[0]; first !== undefined && first.dueMs <= targetMs; first = sleepers[0]) {
      sleepers.shift()
      nowMs = Math.max(nowMs, first.dueMs)
      first.wake()
      await turn()
    }
    nowMs = targetMs
  }

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        if (ms <= 0) {
          resolve()
          return
        }
        const onAbort = () => {
          const at = sleepers.indexOf(sleeper)
          if (at < 0) return
          sleepers.splice(at, 1)
          reject(signal?.reason as Error)
        }
        const wake = () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
        const sleeper: Sleeper = { dueMs: nowMs + ms, wake }
        sleepers.splice(insertionPoint(sleepers, sleeper.dueMs), 0, sleeper)
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    advance: (ms) => moveTo(nowMs + ms),
    set: (ms) => moveTo(ms),
    jump(ms) {
      nowMs = Math.max(nowMs, ms)
    },
    async wakeDue() {
      for (const sleeper of sleepers.slice(0, insertionPoint(sleepers, nowMs))) {
        const at = sleepers.indexOf(sleeper)
        // What woke before may have aborted this one.
        if (at < 0) continue
        sleepers.splice(at, 1)
        sleeper.wake()
        await turn()
      }
    },
    nextWake: () => sleepers[0]?.dueMs ?? null,
  }
}

function insertionPoint(sleepers: readonly Sleeper[], dueMs: number): number {
  let low = 0
  let high = sleepers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sleepers[middle] as Sleeper).dueMs <= dueMs) low = middle + 1
    else high = middle
  }
  return low
}
