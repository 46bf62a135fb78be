import { identityOf, moveFollowedLog, type FollowedLog } from '@freshet/contracts/followed-log'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { familyTopic, stateScope, type StateFamily } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { createFollowing, type Standing } from './following.ts'
import { partitionsUpTo, servingGeneration } from './generations.ts'

/** How a family's state relates to its log, and what the adoption of that log would change. */
export interface Adoption {
  readonly family: StateFamily
  readonly topic: string
  /**
   * `none`: the state follows this log. `note`: it does, but retention deleted unread records, and no operator has
   * acknowledged that. `other`: the log has another id. `shorter`: it ends before the stored position; it is another log
   * without an id, or it lost its end.
   */
  readonly kind: 'none' | 'note' | 'other' | 'shorter'
  readonly standings: readonly Standing[]
  readonly before: FollowedLog
  /** The id of the log; '': it has none. */
  readonly id: string
}

/** Finds how a family's state relates to its log. Changes nothing. */
export async function adoptionOf(
  { log, store, clock }: { readonly log: EventLog; readonly store: StateStore; readonly clock: Clock },
  family: StateFamily,
): Promise<Adoption> {
  const topic = familyTopic[family]
  const scope = stateScope(family, await servingGeneration(store, family))
  const following = createFollowing({ log, store, clock, scopeOf: () => scope, writesDown: false })
  await following.refresh()
  const partitions = partitionsUpTo(await log.partitionCount(topic))
  const standings = await following.look(partitions.map((partition) => ({ topic, partition })))
  const before = following.of(topic)
  const id = await identityOf(log, topic)
  const isOther = id !== '' && before.id !== '' && id !== before.id
  const kind = isOther
    ? 'other'
    : standings.some(({ replaced }) => replaced !== null)
      ? 'shorter'
      : standings.some(({ lostUnknown }) => lostUnknown !== null)
        ? 'note'
        : 'none'
  return { family, topic, kind, standings, before, id }
}

/**
 * Makes a family's state follow the log that there is now, or takes note of lost records. The updaters that own the
 * partitions see it within their poll and go on at the log's beginning, each partition once, under the fence: the stored
 * position becomes that of the next log, and so do the source positions of what is sent to the second stage, so that its
 * high-water marks take none of it for a repeat. State and dedupe memory stay. Records that the log took before `sinceMs`
 * count as folded. Answers whether it was done; false: somebody else adopted at the same time.
 */
export async function adoptLog(store: StateStore, adoption: Adoption, sinceMs: number): Promise<boolean> {
  const { kind, before, id, topic, standings } = adoption
  if (kind === 'none') return true
  const lost = standings.map((one) => one.lost)
  const to = kind === 'note' ? { ...before, lost } : { epoch: before.epoch + 1, id, sinceMs, lost }
  return moveFollowedLog(store, topic, before, to)
}
