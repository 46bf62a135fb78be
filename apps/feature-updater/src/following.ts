import { familyTopic } from '@freshet/contracts/scopes'
import type { Clock } from '@freshet/domain/clock'
import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { isContractError, type ContractError } from '@freshet/contracts/errors'
import {
  adoptCommand,
  epochIn,
  firstLog,
  identityOf,
  logReplaced,
  moveFollowedLog,
  positionIn,
  readFollowedLog,
  type FollowedLog,
} from '@freshet/contracts/followed-log'
import type { EventLog, TopicPartition } from '@freshet/contracts/ports/event-log'
import { nothingElse, type StateStore } from '@freshet/contracts/ports/state-store'

/** The topics that state is folded from. */
const foldedTopics = [familyTopic.user, familyTopic.pin] as const
type FoldedTopic = (typeof foldedTopics)[number]

/** How a partition's state relates to its log. */
export interface Standing extends TopicPartition {
  readonly stored: number | null
  readonly start: number
  readonly end: number
  /** Records that retention deleted before they were folded. */
  readonly lost: number
  /** Whether the log, which seems to be the same one, ends before the stored position. */
  readonly isShorter: boolean
  /** Why its records must not be folded; null: they may. */
  readonly replaced: ContractError | null
  /** Lost records that no operator has acknowledged, for people; null: none. */
  readonly lostUnknown: string | null
}

/** Ensures that state is folded only from the log that it belongs to. */
export interface Following {
  /** The log that a topic's state follows, as last asked. */
  of(topic: string): FollowedLog
  /** Reads which logs are followed. Returns the topics for which that changed. */
  refresh(): Promise<readonly string[]>
  /** Asks log and store about these partitions and keeps what it finds. */
  look(at: readonly TopicPartition[]): Promise<readonly Standing[]>
  /** Throws LOG_REPLACED if the last look found that the partition must not be folded. */
  check(at: TopicPartition): void
  forget(at: TopicPartition): void
  /** Partitions that are not folded, and lost records, for people. */
  reasons(): readonly string[]
  /** Number of partitions that are not folded until an operator adopts a log. */
  replaced(): number
  /** Number of records that wait in them. */
  waiting(): number
}

const confirmAfterMs = 1_000

/** Follows nothing until it has looked. */
export function createFollowing({
  log,
  store,
  clock,
  scopeOf,
  writesDown = true,
}: {
  readonly log: Pick<EventLog, 'identity' | 'starts' | 'ends'>
  readonly store: Pick<StateStore, 'pointer' | 'movePointer' | 'readForFold'>
  readonly clock: Pick<Clock, 'sleep'>
  readonly scopeOf: (topic: string) => string
  /** Whether the first look stores which log it is. */
  readonly writesDown?: boolean
}): Following {
  const followed = new Map<string, FollowedLog>()
  const known = new Map<string, Standing>()
  const of = (topic: string): FollowedLog => followed.get(topic) ?? firstLog

  const askLog = async (topic: string) => Promise.all([identityOf(log, topic), log.starts(topic), log.ends(topic)])
  type Bounds = Awaited<ReturnType<typeof askLog>>
  const asking = new Map<string, Promise<unknown>>()
  const waiting = new Map<string, Promise<Bounds>>()

  /** Asks the log after the call, because an earlier answer may be older than the position that it is compared with. Simultaneous calls share one question. */
  function boundsOf(topic: string): Promise<Bounds> {
    const shared = waiting.get(topic)
    if (shared !== undefined) return shared
    const before = asking.get(topic) ?? Promise.resolve()
    const asked = before.then(() => {
      waiting.delete(topic)
      const answer = askLog(topic)
      asking.set(
        topic,
        answer.catch(() => undefined),
      )
      return answer
    })
    waiting.set(topic, asked)
    return asked
  }

  async function found(topic: string, partitions: readonly number[]): Promise<readonly Standing[]> {
    const stored = await Promise.all(
      partitions.map((partition) => store.readForFold({ ...nothingElse, scope: scopeOf(topic), partition })),
    )
    const [id, starts, ends] = await boundsOf(topic)
    const standings = partitions.map((partition, row) => {
      const { position, meta } = stored[row] ?? { position: null, meta: null }
      const { lost } = decodePartitionMeta(meta).counts
      const [start, end] = [starts[partition] ?? 0, ends[partition] ?? 0]
      return standing({ topic, partition, stored: position, start, end, lost }, of(topic), id)
    })
    if (writesDown) await remember(topic, id, standings)
    return standings
  }

  /** A new leader may not know its end yet, so a log that looks shorter is checked again. */
  async function lookAt(topic: string, partitions: readonly number[]): Promise<readonly Standing[]> {
    const first = await found(topic, partitions)
    if (first.every(({ isShorter }) => !isShorter)) return first
    await clock.sleep(confirmAfterMs)
    return found(topic, partitions)
  }

  /** The first look stores the id of the log. A later look does so if the log had no id before. */
  async function remember(topic: string, id: string, standings: readonly Standing[]): Promise<void> {
    const before = of(topic)
    if (before.id !== '' || id === '' || standings.some(({ replaced }) => replaced !== null)) return
    const now = { ...before, id }
    if (await moveFollowedLog(store, topic, before, now)) followed.set(topic, now)
  }

  const key = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
  const kept = (): readonly Standing[] => [...known.values()]

  return {
    of,
    async refresh() {
      const changed: string[] = []
      for (const topic of foldedTopics) {
        const now = await readFollowedLog(store, topic)
        if (now.epoch !== of(topic).epoch) changed.push(topic)
        followed.set(topic, now)
      }
      return changed
    },
    async look(at) {
      const topics = [...new Set(at.map(({ topic }) => topic))]
      const looked = await Promise.all(
        topics.map((topic) =>
          lookAt(
            topic,
            at.filter((one) => one.topic === topic).map(({ partition }) => partition),
          ),
        ),
      )
      for (const one of looked.flat()) known.set(key(one), one)
      return looked.flat()
    },
    check(at) {
      const replaced = known.get(key(at))?.replaced ?? null
      if (replaced !== null) throw replaced
    },
    forget(at) {
      known.delete(key(at))
    },
    reasons() {
      const replaced = new Map(kept().flatMap((one) => (one.replaced === null ? [] : [[one.topic, one.replaced]])))
      return [
        ...[...replaced.values()].map(({ message }) => message),
        ...kept().flatMap(({ lostUnknown }) => (lostUnknown === null ? [] : [lostUnknown])),
      ]
    },
    replaced: () => kept().filter(({ replaced }) => replaced !== null).length,
    waiting: () =>
      kept().reduce((sum, { replaced, start, end }) => sum + (replaced === null ? 0 : Math.max(0, end - start)), 0),
  }
}

/** How a partition's state relates to its log. `id`: the present id of the log. */
function standing(
  found: Omit<Standing, 'replaced' | 'lostUnknown' | 'isShorter'>,
  followed: FollowedLog,
  id: string,
): Standing {
  const { topic, partition, stored, end, lost } = found
  const noted = followed.lost[partition] ?? 0
  const position = stored !== null && epochIn(stored) === followed.epoch ? positionIn(stored) : 0
  const isOther = id !== '' && followed.id !== '' && id !== followed.id
  const isShorter = !isOther && position > end
  const replaced = isOther
    ? logReplaced(`${topic} is another log than the one its state was folded from`)
    : isShorter
      ? logReplaced(`${topic}/${partition} ends at ${end}, before the stored position ${position}`)
      : null
  const lostUnknown =
    lost > noted
      ? `${topic}/${partition}: retention deleted ${lost - noted} records before they were folded; \`${adoptCommand}\` takes note of it`
      : null
  return { ...found, isShorter, replaced, lostUnknown }
}

/** Whether an error means that an operator must adopt a log first. */
export function isReplaced(error: unknown): boolean {
  return isContractError(error, 'LOG_REPLACED')
}

/** Whether state is folded from this topic. */
export function isFoldedTopic(topic: string): topic is FoldedTopic {
  return (foldedTopics as readonly string[]).includes(topic)
}
