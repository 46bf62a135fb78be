import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { EventLog, Position } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import type { Clock } from '@freshet/domain/clock'
import { outcomeOf } from '../shared/log/layouts.ts'
import { createLocalReaders } from '../local-log/readers.ts'
import { logClosed, topicMissing } from '../shared/log/errors.ts'
import { untilAborted } from '../shared/until-aborted.ts'
import type { LmdbEnvironment } from './environment.ts'
import { createLogStorage, type PreparedRecord } from './log-storage.ts'

/** An event log in a data folder. */
export interface LmdbEventLog extends EventLog {
  /** Deletes expired records now instead of at the next round; resolves to their number. */
  compact(): Promise<void>
}

/** Options of a log in a data folder. */
export interface LmdbEventLogOptions {
  /** May be shared with the state store; closing the log leaves it open. */
  readonly environment: LmdbEnvironment
  /** Times records, rounds of compaction and pauses after a handler's error. */
  readonly clock: Clock
  /** Interval of retention; null: only on request. Default: a minute. */
  readonly compactEveryMs?: number | null
  /** Records checked in one transaction of a round, so that appends can run in between. Default 2,000. */
  readonly compactSliceRecords?: number
  /** Receives the error of a failed compaction round; the next round tries again. */
  readonly onError?: (error: Error) => void
}

/**
 * An ordered, partitioned log in LMDB for one process. An append resolves when its records are on disk; appends that come
 * at the same time share a transaction. In compacted topics a key's earlier record goes with the append of a later one,
 * or, in topics with a compaction lag, in the first round after the lag.
 */
export function createLmdbEventLog(options: LmdbEventLogOptions): LmdbEventLog {
  const {
    environment,
    clock,
    compactEveryMs = 60_000,
    compactSliceRecords = 2_000,
    onError = () => undefined,
  } = options
  const storage = createLogStorage(environment)
  const partitionCount = (topic: string): number => {
    const layout = storage.layoutOf(topic)
    if (layout === null) throw topicMissing(topic)
    return layout.partitions
  }
  const readers = createLocalReaders({ ...storage, partitionCount }, clock)
  const closing = new AbortController()

  async function whileOpen<T>(work: () => T | Promise<T>, call?: PortCall): Promise<T> {
    if (closing.signal.aborted) throw logClosed()
    return untilAborted(async () => work(), call)
  }

  const durably = <T>(work: () => T): Promise<T> => environment.transaction(work).catch(rethrown)

  /** The appends to a topic that the next transaction writes together: it reads and writes the bounds of a partition once for all of them. */
  const waiting = new Map<string, JoinedAppends>()
  function append(topic: string, prepared: readonly PreparedRecord[]): Promise<readonly Position[]> {
    let joined = waiting.get(topic)
    if (joined === undefined || joined.records >= maxJoinedRecords) {
      const callers: (readonly PreparedRecord[])[] = []
      const written = durably(() => {
        if (waiting.get(topic)?.callers === callers) waiting.delete(topic)
        return storage.append(topic, callers, clock.now())
      })
      joined = { callers, records: 0, written }
      waiting.set(topic, joined)
      // Of a closed folder the work never runs.
      written.catch(() => {
        if (waiting.get(topic)?.callers === callers) waiting.delete(topic)
      })
    }
    const at = joined.callers.push(prepared) - 1
    joined.records += prepared.length
    return joined.written.then((positions) => positions[at]!)
  }

  const bounds = (topic: string, of: (topic: string, partition: number) => number): readonly number[] =>
    Array.from({ length: partitionCount(topic) }, (_, partition) => of(topic, partition))

  async function compact(): Promise<void> {
    for (const layout of storage.layouts()) {
      for (let partition = 0; partition < layout.partitions; partition++) {
        for (let from: number | null = 0; from !== null && !closing.signal.aborted;) {
          const slice: number = from
          from = await environment.transaction(() =>
            storage.compactSlice(layout, partition, slice, clock.now(), compactSliceRecords),
          )
        }
      }
    }
  }

  async function compactInRounds(everyMs: number): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, closing.signal)
      await compact().catch(onError)
    }
  }
  const rounds = compactEveryMs === null ? null : compactInRounds(compactEveryMs).catch(() => undefined)

  return {
    applyTopics: (layouts, call) =>
      whileOpen(
        () =>
          durably(() => {
            const outcomes = layouts.map((layout) => outcomeOf(layout, storage.layoutOf(layout.name)))
            layouts.forEach((layout, i) => {
              if (outcomes[i]?.outcome !== 'unchanged') storage.setLayout(layout)
              if (storage.idOf(layout.name) === null) storage.setId(layout.name, `lmdb-${clock.now().toString(36)}`)
            })
            return outcomes
          }),
        call,
      ),
    partitionCount: (topic, call) => whileOpen(() => partitionCount(topic), call),
    identity: (topic, call) =>
      whileOpen(() => {
        partitionCount(topic)
        return storage.idOf(topic)
      }, call),
    starts: (topic, call) => whileOpen(() => bounds(topic, storage.start), call),
    ends: (topic, call) => whileOpen(() => bounds(topic, storage.end), call),
    positionsAt: (topic, timeMs, call) =>
      whileOpen(() => bounds(topic, (name, partition) => storage.positionAt(name, partition, timeMs)), call),

    append: (topic, records, options = {}) =>
      whileOpen(async () => {
        const prepared = storage.prepare(topic, records, options.headers)
        const positions = await append(topic, prepared)
        // Wake readers even if the caller has gone: the records are in the log.
        for (const partition of new Set(prepared.map((one) => one.partition))) readers.appended(topic, partition)
        return positions
      }, options),

    readGroup: (group, call) => whileOpen(() => readers.readGroup(group), call),
    readAll: (view, call) => whileOpen(() => readers.readAll(view), call),
    compact: () => whileOpen(compact),

    async close() {
      closing.abort(logClosed())
      await readers.stop()
      await rounds
    },
  }
}

/** Appends that wait for the same transaction. */
interface JoinedAppends {
  readonly callers: (readonly PreparedRecord[])[]
  records: number
  readonly written: Promise<readonly (readonly Position[])[]>
}

/** Further appends wait for a piece of work of their own, so that a transaction does not block the event loop for longer. */
const maxJoinedRecords = 1_000

function rethrown(error: unknown): never {
  if (isContractError(error, 'STORE_FULL')) throw new ContractError('LOG_FULL', error.message, { cause: error })
  if (isContractError(error)) throw isContractError(error, 'STORE_CLOSED') ? logClosed() : error
  const reason = error instanceof Error ? error.message : String(error)
  throw new ContractError('LOG_UNAVAILABLE', `the log could not be written: ${reason}`, { cause: error })
}
