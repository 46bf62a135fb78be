import {
  catalogueTopics,
  isCatalogueChange,
  isCatalogueTopic,
  type CatalogueTopic,
} from '@freshet/contracts/catalogue-topics'
import { pinStampOf } from '@freshet/contracts/codecs/pin'
import { identityOf, logTag } from '@freshet/contracts/followed-log'
import type { BatchVerdict, EventLog, LogBatch, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { nextPinStamp } from '@freshet/domain/pin-version'
import type { OwnedBoards } from './owned-boards.ts'

/**
 * Keeps the catalogue's log right. Its topics are compacted: of each pin, creator and board they keep the last record, which can be a stale one, with a lower version than a
 * record before it. Running views drop stale records, but a view that starts after compaction would know nothing else. So the owner of a partition remembers
 * the newest record of each entry that has a version, and appends it again when another one came after it.
 */
export interface CatalogueKeeper {
  /** Reads one batch of a topic of the catalogue. For use without `start`, in lockstep, too. */
  handle(batch: LogBatch, signal?: AbortSignal): Promise<BatchVerdict>
  /** Where a partition goes on; null: at its beginning. */
  startAt(at: TopicPartition): Promise<number | null>
  start(): Promise<void>
  /** Stops reading; resolves when the batch under way has ended. */
  stop(): Promise<void>
  /** Records since the start, and those among them that it undid. */
  stats(): { readonly records: number; readonly stale: number }
}

/** What the keeper works with. */
export interface CatalogueKeeperOptions {
  readonly log: Pick<EventLog, 'append' | 'readGroup' | 'identity' | 'partitionCount'>
  readonly store: Pick<StateStore, 'read' | 'commit' | 'positions' | 'pointer' | 'movePointer' | 'dropScope'>
  /** The consumer group of the updater; the keeper has one of its own beside it. */
  readonly group: string
  readonly maxBatchRecords: number
  /** Takes erased owners off boards; absent: nobody was erased. */
  readonly ownedBoards?: Pick<OwnedBoards, 'cleaned' | 'clean'>
  readonly onStale?: (count: number) => void
  readonly onError: (error: Error, at?: TopicPartition) => void
}

/** What the state of a topic is called: the pointer to the log whose entries it holds, and the prefix of its scopes. */
export const stateOf: Readonly<Record<CatalogueTopic, { readonly pointer: string; readonly prefix: string }>> = {
  'pins.v1': { pointer: 'catalogue-log', prefix: '' },
  'creators.v1': { pointer: 'creators-log', prefix: 'creators-' },
  'boards.v1': { pointer: 'boards-log', prefix: 'boards-' },
}
const topics = Object.keys(stateOf) as readonly CatalogueTopic[]
/** A batch must fit into a commit: pins are up to about 60 kB. */
const maxRecordsAtOnce = 200

/** Creates a keeper; it reads nothing before `start`. */
export function createCatalogueKeeper(options: CatalogueKeeperOptions): CatalogueKeeper {
  const { log, store, ownedBoards, onError, onStale = () => undefined } = options
  let reader: LogReader | null = null
  const scopes = new Map<CatalogueTopic, Promise<string>>()
  let [records, stale] = [0, 0]

  /** The scope of this log. A log that was made again starts with an empty one, and the entries of the log before are dropped. */
  async function findScope(topic: CatalogueTopic): Promise<string> {
    const { pointer, prefix } = stateOf[topic]
    const tag = logTag(await identityOf(log, topic)) || '0'
    const before = await store.pointer(pointer)
    if (before !== tag && (await store.movePointer(pointer, before, tag)) && before !== null) {
      const count = await log.partitionCount(topic)
      await store.dropScope(
        scopeOf(prefix, before),
        Array.from({ length: count }, (_, partition) => partition),
      )
    }
    return scopeOf(prefix, tag)
  }
  function currentScope(topic: CatalogueTopic): Promise<string> {
    const known = scopes.get(topic)
    if (known !== undefined) return known
    const found = findScope(topic).catch((error: unknown) => {
      scopes.delete(topic)
      throw error
    })
    scopes.set(topic, found)
    return found
  }

  async function handlePart(batch: LogBatch, signal: AbortSignal | undefined): Promise<BatchVerdict> {
    const { topic, partition, from, next } = batch
    if (!isCatalogueTopic(topic)) return undefined
    const call = signal === undefined ? {} : { signal }
    const scope = await currentScope(topic)
    const keys = [...new Set(batch.records.map(({ key }) => key))]
    const { position, values } = await store.read(scope, partition, keys, call)
    if ((position ?? 0) !== from) return movedTo(position ?? 0, next)
    const before = new Map(keys.map((key, row) => [key, values[row] ?? null]))
    const cleaned = topic === 'boards.v1' ? ownedBoards?.cleaned : undefined
    const { kept, wrong, owned } = foldCatalogue(batch.records, before, topic, cleaned)
    if (wrong.size > 0) {
      const again = [...wrong].map(([key, value]) => ({ key, value, partition }))
      await log.append(topic, again, call)
    }
    if (owned.size > 0) await ownedBoards?.clean(owned, signal)
    const puts = [...kept].map(([key, value]) => ({ key, value, ttlMs: null }))
    const nothing = { appends: [], deletes: [], meta: null, remember: [] }
    const outcome = await store.commit({ scope, partition, from, next, puts, ...nothing }, call)
    if (outcome.kind !== 'APPLIED') return movedTo(outcome.stored, next)
    records += batch.records.length
    stale += wrong.size
    if (wrong.size > 0) onStale(wrong.size)
  }

  async function handle(batch: LogBatch, signal?: AbortSignal): Promise<BatchVerdict> {
    for (let done = 0, from = batch.from; ; done += maxRecordsAtOnce) {
      const part = batch.records.slice(done, done + maxRecordsAtOnce)
      const isLast = done + maxRecordsAtOnce >= batch.records.length
      const next = isLast ? batch.next : part.at(-1).position + 1
      const verdict = await handlePart({ ...batch, from, next, records: part }, signal)
      if (verdict !== undefined || isLast) return verdict
      from = next
    }
  }

  const startAt = async ({ topic, partition }: TopicPartition): Promise<number | null> =>
    isCatalogueTopic(topic) ? ((await store.positions(await currentScope(topic), [partition]))[0] ?? null) : null

  return {
    handle,
    startAt,
    async start() {
      reader = await log.readGroup({
        group: `${options.group}-catalogue`,
        topics,
        maxBatchRecords: options.maxBatchRecords,
        startAt,
        onBatch: handle,
        onError,
      })
    },
    async stop() {
      await reader?.stop()
    },
    stats: () => ({ records, stale }),
  }
}

/** The newest record of each entry that has a version, where it changed; and of entries whose last record is another one, also one that nobody can read, the record that should come last. `cleaned`: the bytes without an erased owner; `owned`: the entries that have records with one. */
export function foldCatalogue(
  records: readonly { readonly key: string; readonly value: Uint8Array | null }[],
  before: ReadonlyMap<string, Uint8Array | null>,
  topic: CatalogueTopic = 'pins.v1',
  cleaned: (key: string, value: Uint8Array) => Uint8Array = (_, value) => value,
): {
  readonly kept: ReadonlyMap<string, Uint8Array>
  readonly wrong: ReadonlyMap<string, Uint8Array>
  readonly owned: ReadonlySet<string>
} {
  const kept = new Map<string, Uint8Array>()
  const wrong = new Map<string, Uint8Array>()
  const owned = new Set<string>()
  for (const { key, value: given } of records) {
    const value = given === null ? null : cleaned(key, given)
    if (value !== given) owned.add(key)
    const stored = before.get(key) ?? null
    const newest = kept.get(key) ?? (stored === null ? null : cleaned(key, stored))
    const known = newest === null || !isCatalogueChange(topic, key, newest) ? null : pinStampOf(newest)
    const change = pinStampOf(value)
    if (change === null || !isCatalogueChange(topic, key, value)) {
      // Views drop it, and would know nothing of the entry if compaction left nothing else.
      if (known !== null) wrong.set(key, newest!)
      continue
    }
    const next = nextPinStamp(known, change)
    if (next === null) {
      wrong.set(key, newest!)
    } else if (next.version !== null) {
      // A removal without a version takes the entry's, so that the log never forgets that.
      const isComplete = change.version !== null && value !== null
      const resolved = isComplete ? value : catalogueTopics[topic].removal(key, next.version)
      kept.set(key, resolved)
      if (isComplete) wrong.delete(key)
      else wrong.set(key, resolved)
    }
  }
  return { kept, wrong, owned }
}

/** The scope of the entries of a log, by the tag of the log. */
export function scopeOf(prefix: string, tag: string): string {
  return `catalogue.${prefix}${tag}`
}

/** The stored position is the truth. */
function movedTo(stored: number, next: number): BatchVerdict {
  return stored === next ? undefined : { seekTo: stored }
}
