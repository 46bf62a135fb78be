import { partitionOf } from '@freshet/domain/partition'

/** Which part of the neighbour index an instance holds: that of the users whose id's partition among `count` is `index`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** Whether what a user did is in the shard's part. */
export function holdsUser({ index, count }: Shard, userId: string): boolean {
  return count === 1 || partitionOf(userId, count) === index
}
