import { partitionOf } from '@freshet/domain/partition'
import { decodeUserErasure } from '../codecs/onward.ts'
import { ContractError } from '../errors.ts'
import type { ReadPartition } from './read-partition.ts'
import { readPartition } from './read-partition.ts'

const topic = 'erasures.v1'

/** When a user was erased, milliseconds since the epoch; null: not at all. Reads the user's partition of `erasures.v1`, which keeps one record for each erased user. */
export async function erasedAtMs(
  log: ReadPartition['log'],
  userId: string,
  options: Pick<ReadPartition, 'onError' | 'signal'> = {},
): Promise<number | null> {
  const partitions = (await log.ends(topic)).length
  let found: number | null = null
  await readPartition({
    ...options,
    log,
    topic,
    partition: partitionOf(userId, partitions),
    onRecords: (records) => {
      for (const { key, value } of records) {
        if (key === userId) found = value === null ? null : decodeUserErasure(value).erasedAtMs
      }
    },
  })
  return found
}

/** The error for a user of whom nothing may be shown. */
export function userErased(userId: string, atMs: number): ContractError {
  return new ContractError(
    'USER_ERASED',
    `${userId} was erased at ${new Date(atMs).toISOString()}; nothing from before is shown`,
  )
}
