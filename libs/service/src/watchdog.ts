import type { Clock } from '@freshet/domain/clock'

/** What a progress watchdog watches. */
export interface WatchdogOptions {
  readonly clock: Clock
  /** Work that waits. It may fail: then nothing is known, and what was known stays. */
  readonly lag: () => number | Promise<number>
  /** Grows with every piece of work done. */
  readonly done: () => number
  /** How long there may be lag without anything being done. */
  readonly stalledAfterMs: number
  /** How often `run` looks. */
  readonly checkEveryMs: number
}

/** Says when work waits and nothing gets done: a reader that stalled silently must be restarted. */
export interface Watchdog {
  /** Looks once. */
  check(): Promise<void>
  /** For `Component.notAlive`. */
  notAlive(): string | null
  /** Looks again and again until the signal ends it. */
  run(signal: AbortSignal): Promise<void>
}

/** A watchdog that has seen progress at its creation. */
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
