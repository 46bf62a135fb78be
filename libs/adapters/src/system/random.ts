import type { Random } from '@freshet/domain/clock'

/** The system's random numbers: not repeatable, not for secrets. */
export function createSystemRandom(): Random {
  return { next: () => Math.random() }
}
