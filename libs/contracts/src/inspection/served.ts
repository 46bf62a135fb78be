import { partitionOf } from '@freshet/domain/partition'
import { ContractError } from '../errors.ts'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { erasedAtMs, userErased } from './erased.ts'
import { readPartition, type ReadPartition } from './read-partition.ts'

const topic = 'feeds-served.v1'

/**
 * The last feed served to a user, or the one with this id, as it was recorded. Throws FEED_MISSING, or USER_ERASED where the
 * user was erased after it was served.
 */
export async function feedServed(
  log: ReadPartition['log'],
  userId: string,
  feedId: string | null,
  options: Pick<ReadPartition, 'onError' | 'signal'> = {},
): Promise<FeedServed> {
  const erasedMs = await erasedAtMs(log, userId, options)
  const partitions = (await log.ends(topic)).length
  let last: { readonly value: Uint8Array } | null = null as { readonly value: Uint8Array } | null
  await readPartition({
    ...options,
    log,
    topic,
    partition: partitionOf(userId, partitions),
    onRecords: (records) => {
      for (const { key, value } of records) {
        if (key !== userId || value === null) continue
        const { feedId: id, atMs } = FeedServed.decode(value)
        // A user who came back after an erasure has feeds again.
        if (erasedMs !== null && atMs <= erasedMs) continue
        if (feedId === null || id === feedId) last = { value }
      }
    },
  })
  if (last !== null) return FeedServed.decode(last.value)
  if (erasedMs !== null) throw userErased(userId, erasedMs)
  const which = feedId === null ? 'no feed' : `no feed ${feedId}`
  throw new ContractError(
    'FEED_MISSING',
    `${topic} holds ${which} of ${userId}; it keeps feeds for 30 days, and none that were asked for with dryRun`,
  )
}
