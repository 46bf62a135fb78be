import { afterMs } from './timer.ts'

/** Monotonic time and timers, as engines of pipelines take them. */
export function createSystemEngineClock() {
  return { nowMs: () => performance.now(), after: afterMs }
}
