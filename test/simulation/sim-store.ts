import { joined, lastOf } from '@freshet/adapters/shared/state/bytes'
import type { CommitOutcome, FoldQuery, StateCommit, StateRead, StateStore } from '@freshet/contracts/ports/state-store'
import type { Random } from '@freshet/domain/clock'
import type { Scheduler, SimProcess } from './scheduler.ts'

/** A partition of the simulated store as of one commit. Never changed, so that older ones can come back. */
interface Snapshot {
  readonly position: number | null
  readonly values: ReadonlyMap<string, Uint8Array>
  readonly meta: Uint8Array | null
  readonly remembered: ReadonlyMap<number, ReadonlySet<bigint>>
}

/** The simulated store: what all processes share. */
export interface SimStore {
  now(scope: string, partition: number): Snapshot
  pointer(name: string): string | null
  /** A fail-over to a replica that had missed the last commits of one partition. Answers how many were lost. */
  loseTail(scope: string, partition: number, random: Random): number
  /** From here on nothing that was committed is lost. */
  settle(): void
  /** The store as one process sees it: any call may be refused, done and yet refused, or the last thing it does. */
  seenBy(process: SimProcess, scheduler: Scheduler): StateStore
}

const empty: Snapshot = { position: null, values: new Map(), meta: null, remembered: new Map() }
const keptCommits = 8

/** An empty store with the fence of the real ones. */
export function createSimStore(): SimStore {
  const histories = new Map<string, Snapshot[]>()
  const pointers = new Map<string, string>()
  const historyOf = (scope: string, partition: number): Snapshot[] => {
    const name = `${scope}/${partition}`
    const history = histories.get(name) ?? [empty]
    histories.set(name, history)
    return history
  }
  const now = (scope: string, partition: number) => historyOf(scope, partition).at(-1) ?? empty

  const read = (scope: string, partition: number, keys: readonly string[]): StateRead => {
    const { position, values } = now(scope, partition)
    return { position, values: keys.map((key) => values.get(key) ?? null) }
  }
  const readForFold = ({ scope, partition, keys, hashes, generations, ends }: FoldQuery) => {
    const { meta, remembered, values } = now(scope, partition)
    const seen = Uint8Array.from(hashes, (hash) =>
      generations.some((generation) => remembered.get(generation)?.has(hash) === true) ? 1 : 0,
    )
    const last = ends.keys.map((key) => lastOf(values.get(key), ends.bytes))
    return { ...read(scope, partition, keys), meta, seen, ends: last }
  }
  const commit = (change: StateCommit): CommitOutcome => {
    const history = historyOf(change.scope, change.partition)
    const before = history.at(-1) ?? empty
    const stored = before.position ?? 0
    if (stored >= change.next && before.position !== null) return { kind: 'SKIPPED', stored }
    if (stored < change.from) return { kind: 'ROLLBACK', stored }
    if (stored > change.from) return { kind: 'PARTIAL', stored }
    const values = new Map(before.values)
    for (const key of change.deletes) values.delete(key)
    for (const { key, value } of change.puts) values.set(key, value)
    for (const { key, value } of change.appends) values.set(key, joined(values.get(key), value))
    const remembered = new Map(before.remembered)
    for (const { generation, hashes } of change.remember) {
      remembered.set(generation, new Set([...(remembered.get(generation) ?? []), ...hashes]))
    }
    history.push({ position: change.next, values, meta: change.meta, remembered })
    if (history.length > keptCommits) history.shift()
    return { kind: 'APPLIED', stored: change.next }
  }
  const unsupported = (): never => {
    throw new Error('the updater does not need this')
  }

  return {
    now,
    pointer: (name) => pointers.get(name) ?? null,
    loseTail(scope, partition, random) {
      const history = historyOf(scope, partition)
      const lost = Math.min(history.length - 1, 1 + Math.floor(random.next() * 3))
      history.length -= lost
      return lost
    },
    settle() {
      for (const history of histories.values()) history.splice(0, history.length - 1)
    },
    seenBy: (process, scheduler) => ({
      read: (scope, partition, keys) =>
        scheduler.call(process, `read ${scope}/${partition}`, () => read(scope, partition, keys)),
      readForFold: (query) =>
        scheduler.call(process, `read ${query.scope}/${query.partition}`, () => readForFold(query)),
      commit: (change) =>
        scheduler.call(process, `commit ${change.scope}/${change.partition} ${change.from}..${change.next}`, (fate) =>
          fate === 'refused' ? { kind: 'SKIPPED', stored: 0 } : commit(change),
        ),
      positions: (scope, partitions) =>
        scheduler.call(process, `positions ${scope}`, () =>
          partitions.map((partition) => now(scope, partition).position),
        ),
      pointer: (name) => scheduler.call(process, `pointer ${name}`, () => pointers.get(name) ?? null),
      movePointer: (name, expected, value) =>
        scheduler.call(process, `move pointer ${name} to ${value}`, (fate) => {
          if (fate === 'refused' || (pointers.get(name) ?? null) !== expected) return false
          pointers.set(name, value)
          return true
        }),
      async *scan(scope, partition) {
        const values = await scheduler.call(process, `scan ${scope}/${partition}`, () => now(scope, partition).values)
        yield [...values].map(([key, value]) => ({ key, value }))
      },
      dropScope: unsupported,
      append: unsupported,
      appendIf: unsupported,
      // What was served of an erased user: outside the fence, and nothing of the law.
      put: (scope, partition) => scheduler.call(process, `put ${scope}/${partition}`, () => undefined),
      close: () => Promise.resolve(),
    }),
  }
}
