import { partitionOf } from '@freshet/domain/partition'
import { readToEnd, type ReadToEnd } from '../read-to-end.ts'

/** Which user's records to read, and from which topic. */
export interface ReadUser extends Pick<ReadToEnd, 'log' | 'topic' | 'signal'> {
  readonly userId: string
  /** Receives each record's value, oldest first; null: a tombstone. */
  readonly onValue: (value: Uint8Array | null) => void
  /** Receives errors that are being retried. */
  readonly onError?: (error: Error) => void
}

/** How a caller watches and cancels a read of one user's records. */
export type ReadUserOptions = Pick<ReadUser, 'onError' | 'signal'>

/** Reads all records that a topic keyed by user still holds of one user. Resolves at the topic's current end; rejects with the signal's reason. */
export async function readUser({ userId, onValue, ...rest }: ReadUser): Promise<void> {
  const ends = await rest.log.ends(rest.topic, { signal: rest.signal })
  const partition = partitionOf(userId, ends.length)
  await readToEnd({
    maxBatchRecords: 2_000,
    onError: () => undefined,
    ...rest,
    partitions: [partition],
    onRecords: (_, records) => {
      for (const { key, value } of records) if (key === userId) onValue(value)
    },
  })
}
