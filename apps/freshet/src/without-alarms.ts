import type { Clock } from '@freshet/domain/clock'

/**
 * A clock whose timers never fire. Virtual time jumps from event to event, so periodic work of the services would run at
 * every jump. An evaluation needs none of this work.
 */
export function withoutAlarms(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        if (signal?.aborted === true) reject(signal.reason as Error)
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
  }
}
