import { decodeCreatorChange } from '@freshet/contracts/codecs/creator'
import { isContractError } from '@freshet/contracts/errors'
import type { LogProgress } from '@freshet/contracts/log-progress'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { closesCreator, type Creator, type CreatorChange } from '@freshet/domain/creator'
import { hash32 } from '@freshet/domain/hash'

/** The topic from which the creators are folded. */
export const creatorTopic = 'creators.v1'

/** What the catalogue says about creators: their names, and who of them is suspended or deleted. */
export interface Creators {
  /** Folds a batch and skips records that it has folded before, and stale ones. */
  fold(batch: LogBatch): void
  /** How many creators are suspended or deleted. */
  readonly closed: number
  /** Whether a creator, given as `hash32`, is suspended or deleted. True now and then for another creator with the same hash. */
  isClosed(creator: number): boolean
  /** The same by id, exactly. */
  isClosedId(creatorId: string): boolean
  /** What pages show of a creator; null: not known. */
  of(creatorId: string): Pick<Creator, 'name' | 'imageUrl'> | null
  /** Why no pin may be shown: there is no room for the suspended and deleted creators; null: there is. */
  problem(): string | null
  /** A message for operators about caps that were reached; null: none was. */
  full(): string | null
}

/**
 * Creates empty creators, which advance the topic's positions in `progress`. At most `maxCreators` are kept. Names make room for suspended and
 * deleted creators; if these alone are too many, `problem` says so.
 */
export function createCreators({
  maxCreators,
  progress,
}: {
  readonly maxCreators: number
  readonly progress: Pick<LogProgress, 'position' | 'advance'>
}): Creators {
  const versions = createPinVersions({ maxVersions: 2 * maxCreators, topic: creatorTopic })
  const named = new Map<string, Pick<Creator, 'name' | 'imageUrl'>>()
  const closed = new Set<string>()
  /** How many closed creators have a hash. */
  const closedHashes = new Map<number, number>()
  let [unnamed, unclosed] = [0, 0]

  function close(id: string): void {
    if (closed.has(id)) return
    if (named.size + closed.size >= maxCreators) {
      const [other] = named.keys()
      if (other === undefined) {
        unclosed++
        return
      }
      named.delete(other)
      unnamed++
    }
    closed.add(id)
    closedHashes.set(hash32(id), (closedHashes.get(hash32(id)) ?? 0) + 1)
  }

  function open(id: string): void {
    if (!closed.delete(id)) return
    const left = closedHashes.get(hash32(id))! - 1
    if (left === 0) closedHashes.delete(hash32(id))
    else closedHashes.set(hash32(id), left)
  }

  function apply(change: CreatorChange): void {
    const id = change.kind === 'delete' ? change.creatorId : change.creator.creatorId
    named.delete(id)
    if (closesCreator(change)) return close(id)
    open(id)
    if (change.kind === 'delete') return
    const { name, imageUrl } = change.creator
    if (name === '' && imageUrl === null) return
    if (named.size + closed.size < maxCreators) named.set(id, { name, imageUrl })
    else unnamed++
  }

  return {
    fold(batch) {
      const { topic, partition, next } = batch
      if (topic !== creatorTopic) return
      for (const { key, value } of versions.current(batch, progress.position(topic, partition)).records) {
        try {
          apply(decodeCreatorChange(key, value))
        } catch (error) {
          // The keeper of the catalogue takes back what nobody can read.
          if (!isContractError(error)) throw error
        }
      }
      progress.advance(topic, partition, next)
    },
    get closed() {
      return closed.size
    },
    isClosed: (creator) => closedHashes.has(creator),
    isClosedId: (creatorId) => closed.has(creatorId),
    of: (creatorId) => named.get(creatorId) ?? null,
    problem: () =>
      unclosed === 0
        ? null
        : `more creators are suspended or deleted than there is room for (maxCreators is ${maxCreators})`,
    full: () =>
      unnamed === 0
        ? null
        : `${unnamed} creators have no name because there is no room (maxCreators is ${maxCreators})`,
  }
}
