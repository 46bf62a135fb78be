import type { Clock } from '@freshet/domain/clock'

/** A virtual clock that moves without waking anybody. Whoever runs it says when sleepers wake. */
export interface SteppingClock extends Clock {
  /** Moves to a time, milliseconds since the epoch. An earlier time changes nothing. */
  moveTo(ms: number): void
  /**
   * Wakes each sleeper that is due now, in the order of their times, and lets each run before the next one. Whoever goes to
   * sleep meanwhile waits for the next call, so work that repeats every second runs once after a jump of an hour.
   */
  wakeDue(): Promise<void>
}

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** A clock that stands at `startMs`, milliseconds since the epoch. */
export function createSteppingClock(startMs: number): SteppingClock {
  let nowMs = startMs
  const sleepers = new Set<Sleeper>()
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        if (ms <= 0) {
          setImmediate(resolve)
          return
        }
        const onAbort = (): void => {
          if (sleepers.delete(sleeper)) reject(signal?.reason as Error)
        }
        const sleeper: Sleeper = {
          dueMs: nowMs + ms,
          wake: () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    moveTo(ms) {
      nowMs = Math.max(nowMs, ms)
    },
    async wakeDue() {
      const due = [...sleepers].filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs)
      for (const sleeper of due) {
        if (!sleepers.delete(sleeper)) continue
        sleeper.wake()
        await turn()
      }
    },
  }
}
