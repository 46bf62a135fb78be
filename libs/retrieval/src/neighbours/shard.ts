import { partitionOf } from '@freshet/domain/partition'

/** The part of the neighbour index that an instance holds: the users whose id falls into partition `index` of `count`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** Whether a user belongs to the shard. */
export function holdsUser({ index, count }: Shard, userId: string): boolean {
  return count === 1 || partitionOf(userId, count) === index
}
