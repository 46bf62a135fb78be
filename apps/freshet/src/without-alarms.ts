import type { Clock } from '@freshet/domain/clock'

/**
 * The time without its alarms. Virtual time leaps from event to event, so what a service does every few seconds would be
 * done at every leap; an evaluation needs none of it.
 */
export function withoutAlarms(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
  }
}
