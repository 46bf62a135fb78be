import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Random } from '@freshet/domain/clock'

/** The system's clock, for composition roots. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    async sleep(ms, signal) {
      if (signal === undefined) return sleep(ms)
      try {
        await sleep(ms, undefined, { signal })
      } catch (error) {
        throw signal.aborted ? signal.reason : error
      }
    },
  }
}

/** The system's source of chance, for composition roots. */
export function createSystemRandom(): Random {
  return { next: () => Math.random() }
}
