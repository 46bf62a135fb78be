import { logReplaced } from '@freshet/contracts/followed-log'
import type {
  GroupReaderOptions,
  LogReader,
  LogRecord,
  TopicPartition,
  ViewReaderOptions,
} from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { assignPartitions } from '../shared/log/assignment.ts'
import { recordsLost } from '../shared/log/errors.ts'
import { keyOf } from '../shared/log/partition-key.ts'
import { startPump } from '../shared/log/partition-pump.ts'
import type { Chunk, PartitionPump } from '../shared/log/partition-pump.ts'

/** A log in this process, as its readers see it. */
export interface LocalStorage {
  /** Throws LOG_TOPIC_MISSING. */
  partitionCount(topic: string): number
  /** The first position not deleted by retention. */
  start(topic: string, partition: number): number
  end(topic: string, partition: number): number
  /** At most `maxRecords` records at or after `from`, oldest first, and the reader's position after them; empty: none left up to `next`. */
  read(
    topic: string,
    partition: number,
    from: number,
    maxRecords: number,
  ): { readonly records: readonly LogRecord[]; readonly next: number }
}

/** The readers of a log in this process. */
export interface LocalReaders {
  readGroup(options: GroupReaderOptions): LogReader
  readAll(options: ViewReaderOptions): LogReader
  /** Wakes waiting readers; call it after each append. */
  appended(topic: string, partition: number): void
  /** Resolves when every reader waits at the end of its partitions; rejects with the first error of a handler until then. */
  idle(): Promise<void>
  stop(): Promise<void>
}

interface Reader {
  readonly pumps: Map<string, PartitionPump>
  stop(): Promise<void>
}

interface Member extends Reader {
  readonly id: string
  leaving: boolean
  readonly options: GroupReaderOptions
}

const yieldEvery = 256

/** Creates readers of a log in this process: group members, and readers of all partitions. */
export function createLocalReaders(storage: LocalStorage, clock: Clock): LocalReaders {
  const readers = new Set<Reader>()
  const groups = new Map<string, { readonly members: Map<string, Member>; turn: Promise<void> }>()
  const sleepers = new Map<string, Set<() => void>>()
  const idleWaiters = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  let busy = 0
  let memberNumber = 0

  const becameBusy = () => {
    busy++
  }
  const becameIdle = () => {
    busy--
    if (busy > 0) return
    for (const waiter of idleWaiters) waiter.resolve()
    idleWaiters.clear()
  }
  const failed = (error: Error) => {
    for (const waiter of idleWaiters) waiter.reject(error)
    idleWaiters.clear()
  }

  function waitForAppend(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = sleepers.get(key) ?? new Set()
      sleepers.set(key, waiting)
      const wake = () => {
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        becameBusy()
        resolve()
      }
      waiting.add(wake)
      signal.addEventListener('abort', wake)
      becameIdle()
    })
  }

  function pump(
    at: TopicPartition,
    startAt: () => Promise<number | null> | number | null,
    options: GroupReaderOptions | ViewReaderOptions,
  ): PartitionPump {
    const { topic, partition } = at
    const key = keyOf(at)
    let reads = 0
    const onError = (error: Error) => {
      failed(error)
      options.onError(error, at)
    }
    const next = async (position: number, signal: AbortSignal): Promise<Chunk | null> => {
      // Yield: handlers that never wait would otherwise block the process's sockets and timers.
      if (++reads % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve))
      const start = storage.start(topic, partition)
      if (position < start) {
        const deletedUnread = position > 0 ? start - position : 0
        if (deletedUnread > 0) onError(recordsLost(at, position, start))
        const end = storage.end(topic, partition)
        return { records: [], next: start, end, ...(deletedUnread > 0 && { deletedUnread }) }
      }
      while (!signal.aborted) {
        const end = storage.end(topic, partition)
        if (position < end) {
          const { records, next } = storage.read(topic, partition, position, options.maxBatchRecords)
          return { records, next, end }
        }
        if (position > end)
          throw logReplaced(`${topic}/${partition} ends at ${end}, before the position ${position} read next`)
        await waitForAppend(key, signal)
      }
      return null
    }
    becameBusy()
    const started = startPump({ at, startAt, next, onBatch: options.onBatch, onError, clock })
    let stopping: Promise<void> | null = null
    return {
      ...started,
      stop: () => (stopping ??= started.stop().then(becameIdle)),
    }
  }

  function reading(pumps: ReadonlyMap<string, PartitionPump>, stop: () => Promise<void>): LogReader {
    return {
      handled: (at) => pumps.get(keyOf(at))?.handled() ?? null,
      assigned: () => [...pumps.values()].map(({ at }) => at),
      lag: () =>
        Promise.resolve(
          [...pumps.values()].reduce((sum, { at, handled }) => {
            const stands = Math.max(handled() ?? 0, storage.start(at.topic, at.partition))
            return sum + Math.max(0, storage.end(at.topic, at.partition) - stands)
          }, 0),
        ),
      restart(topic) {
        for (const one of pumps.values()) if (one.at.topic === topic) one.restart()
      },
      stop,
    }
  }

  const all = (topics: readonly string[]): readonly TopicPartition[] =>
    topics.flatMap((topic) =>
      Array.from({ length: storage.partitionCount(topic) }, (_, partition) => ({ topic, partition })),
    )

  /** Assigns every partition to its member. A partition that changes owner starts only when the old owner's last batch has ended. */
  async function rebalance(members: Map<string, Member>): Promise<void> {
    const target = assignPartitions(
      [...members.values()].map(({ id, options }) => ({ id, topics: options.topics })),
      (topic) => storage.partitionCount(topic),
    )
    const leaving: Promise<void>[] = []
    for (const member of members.values()) {
      const keep = new Set((target.get(member.id) ?? []).map(keyOf))
      leaving.push(
        ...revoke(
          member,
          [...member.pumps.values()].filter(({ at }) => !keep.has(keyOf(at))),
        ),
      )
    }
    await Promise.all(leaving)
    for (const member of members.values()) {
      const gained = (target.get(member.id) ?? []).filter((at) => !member.pumps.has(keyOf(at)))
      if (gained.length === 0 || member.leaving) continue
      member.options.onAssigned?.(gained)
      for (const at of gained) {
        member.pumps.set(
          keyOf(at),
          pump(at, () => member.options.startAt(at), member.options),
        )
      }
    }
  }

  function revoke(member: Member, lost: readonly PartitionPump[]): readonly Promise<void>[] {
    if (lost.length === 0) return []
    for (const { at } of lost) member.pumps.delete(keyOf(at))
    const ending = lost.map((one) => one.stop())
    member.options.onRevoked?.(lost.map(({ at }) => at))
    return ending
  }

  return {
    readGroup(options) {
      for (const topic of options.topics) storage.partitionCount(topic)
      const group = groups.get(options.group) ?? { members: new Map<string, Member>(), turn: Promise.resolve() }
      groups.set(options.group, group)
      const id = String(memberNumber++).padStart(8, '0')
      const inTurn = (work: () => Promise<void>): Promise<void> => (group.turn = group.turn.then(work, work))
      let left: Promise<void> | null = null
      const leave = () => {
        // Handlers see the abort immediately; other members get the partitions only after this member's turn.
        member.leaving = true
        for (const one of member.pumps.values()) void one.stop()
        return inTurn(async () => {
          group.members.delete(id)
          readers.delete(member)
          await Promise.all(revoke(member, [...member.pumps.values()]))
          await rebalance(group.members)
        })
      }
      const member: Member = { id, options, leaving: false, pumps: new Map(), stop: () => (left ??= leave()) }
      readers.add(member)
      becameBusy()
      void inTurn(async () => {
        if (member.leaving) return
        group.members.set(id, member)
        await rebalance(group.members)
      }).finally(becameIdle)
      return reading(member.pumps, member.stop)
    },

    readAll(options) {
      const pumps = new Map(all(options.topics).map((at) => [keyOf(at), pump(at, () => options.startAt(at), options)]))
      const reader: Reader = {
        pumps,
        async stop() {
          readers.delete(reader)
          await Promise.all([...pumps.values()].map((one) => one.stop()))
        },
      }
      readers.add(reader)
      return reading(pumps, reader.stop)
    },

    appended(topic, partition) {
      if (sleepers.size === 0) return
      const waiting = sleepers.get(keyOf({ topic, partition }))
      if (waiting !== undefined) for (const wake of [...waiting]) wake()
    },

    idle() {
      if (busy === 0) return Promise.resolve()
      return new Promise((resolve, reject) => idleWaiters.add({ resolve, reject }))
    },

    async stop() {
      await Promise.all([...readers].map((reader) => reader.stop()))
    },
  }
}
