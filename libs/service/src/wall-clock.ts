import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@freshet/domain/clock'

/** The clock on the wall, by which keys and tokens expire. */
export const wallClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { ref: false, ...(signal !== undefined && { signal }) }),
}
