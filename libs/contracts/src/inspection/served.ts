import { ContractError } from '../errors.ts'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { erasedAtMs, userErased } from './erased.ts'
import { readUser, type ReadUser, type ReadUserOptions } from './read-user.ts'

const topic = 'feeds-served.v1'

/**
 * The last feed served to a user, or the one with this id, as it was recorded. Throws FEED_MISSING, or USER_ERASED where the
 * user was erased after it was served.
 */
export async function feedServed(
  log: ReadUser['log'],
  userId: string,
  feedId: string | null,
  options: ReadUserOptions = {},
): Promise<FeedServed> {
  const erasedMs = await erasedAtMs(log, userId, options)
  let last: { readonly value: Uint8Array } | null = null as { readonly value: Uint8Array } | null
  const onValue = (value: Uint8Array | null): void => {
    if (value === null) return
    const { feedId: id, atMs } = FeedServed.decode(value)
    // A user who came back after an erasure has feeds again.
    if (erasedMs !== null && atMs <= erasedMs) return
    if (feedId === null || id === feedId) last = { value }
  }
  await readUser({ ...options, log, topic, userId, onValue })
  if (last !== null) return FeedServed.decode(last.value)
  if (erasedMs !== null) throw userErased(userId, erasedMs)
  const which = feedId === null ? 'no feed' : `no feed ${feedId}`
  throw new ContractError(
    'FEED_MISSING',
    `${topic} holds ${which} of ${userId}; it keeps feeds for 30 days, and none that were asked for with dryRun`,
  )
}
