import type { Random } from '@freshet/domain/clock'

/** A feed id from 104 random bits. */
export function newFeedId(random: Random): string {
  const part = () =>
    Math.floor(random.next() * 2 ** 52)
      .toString(36)
      .padStart(11, '0')
  return `f${part()}${part()}`
}
