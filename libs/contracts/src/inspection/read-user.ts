import { partitionOf } from '@freshet/domain/partition'
import { readToEnd, type ReadToEnd } from '../read-to-end.ts'

/** Whose records are read. */
export interface ReadUser extends Pick<ReadToEnd, 'log' | 'topic' | 'signal'> {
  readonly userId: string
  /** Sees each record's value, oldest first; null: a tombstone. */
  readonly onValue: (value: Uint8Array | null) => void
  /** Sees what is being tried again. */
  readonly onError?: (error: Error) => void
}

/** How a caller of questions about a user follows and ends them. */
export type ReadUserOptions = Pick<ReadUser, 'onError' | 'signal'>

/** Reads what a topic that is keyed by user still keeps of one user. Resolves at the present end; rejects with the signal's reason. */
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
