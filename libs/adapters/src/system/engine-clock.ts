import { afterMs } from './timer.ts'

/** Monotonic time and timers for pipeline engines. */
export function createSystemEngineClock() {
  return { nowMs: () => performance.now(), after: afterMs }
}
