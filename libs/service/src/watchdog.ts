import type { Clock } from '@freshet/domain/clock'

/** Options of a progress watchdog. */
export interface WatchdogOptions {
  readonly clock: Clock
  /** The amount of waiting work. If it fails, the watchdog keeps the last known amount. */
  readonly lag: () => number | Promise<number>
  /** Grows with every piece of work done. */
  readonly done: () => number
  /** How long work may wait without progress. */
  readonly stalledAfterMs: number
  /** How often `run` checks. */
  readonly checkEveryMs: number
}

/** Detects that work waits and nothing gets done. A reader that stalled silently must be restarted. */
export interface Watchdog {
  /** Checks once. */
  check(): Promise<void>
  /** For `Component.notAlive`. */
  notAlive(): string | null
  /** Checks repeatedly until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

/** Creates a watchdog. Its creation counts as progress. */
export function createProgressWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, stalledAfterMs } = options
  let done = options.done()
  let progressAt = clock.now()
  let lag = 0

  const check = async (): Promise<void> => {
    try {
      lag = await options.lag()
    } catch {
      return
    }
    const now = options.done()
    if (lag <= 0 || now !== done) progressAt = clock.now()
    done = now
  }

  return {
    check,
    notAlive() {
      const quietMs = clock.now() - progressAt
      if (lag <= 0 || quietMs <= stalledAfterMs) return null
      return `${lag} waiting and nothing done for ${Math.round(quietMs / 1000)} s`
    },
    async run(signal) {
      while (!signal.aborted) {
        await check()
        await clock.sleep(options.checkEveryMs, signal).catch(() => undefined)
      }
    },
  }
}
