import {
  artefactDigest,
  artefactsPartition,
  decodeArtefactPart,
  encodeArtefact,
  forgetArtefactPart,
} from '@freshet/contracts/codecs/artefact-part'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { partsOfName } from '../shared/artefact-name.ts'
import { untilAborted } from '../shared/until-aborted.ts'
import { createArtefactIndex, type FoundWriting } from './artefact-index.ts'

/** Bytes of a part. A record of the topic may have twice as many, which leaves room for its name and headers. */
const defaultPartBytes = 512 << 10
const maxArtefactBytes = 256 << 20
/** Another writer of the same name can remove the parts of a slow one, which then writes again. */
const attempts = 3

/** Where a store keeps its artefacts. */
export interface LogArtefactStoreOptions {
  readonly log: Pick<EventLog, 'append' | 'starts' | 'ends' | 'readAll' | 'identity'>
  /** Receives errors that are being retried, and records of the topic that are not parts of artefacts. */
  readonly onError: (error: Error) => void
  readonly topic?: string
  readonly partBytes?: number
}

/** A store of artefacts in a log. */
export interface LogArtefactStore extends ArtefactStore {
  /** Names of which only some parts are there, because a writer died or still writes, sorted. */
  unfinished(call?: PortCall): Promise<readonly string[]>
  /** Frees the room of parts that a dead writer left. Waits for writes of this store; another process that still writes writes again. */
  removeUnfinished(call?: PortCall): Promise<void>
}

/**
 * Artefacts that travel by the log, in a compacted topic: any process that may read the topic reads them, without a shared folder.
 * A put appends the parts in order; the artefact changes when the last part is there, so a writer that dies leaves the one before.
 * Afterwards it removes what it replaced. A call reads what the topic gained since the last one, and remembers places, not bytes.
 */
export function createLogArtefactStore(options: LogArtefactStoreOptions): LogArtefactStore {
  const { log, onError, topic = 'model-files.v1', partBytes = defaultPartBytes } = options
  const index = createArtefactIndex()
  let followed: string | null = null
  let next = 0
  let turn: Promise<unknown> = Promise.resolve()
  let writing: Promise<unknown> = Promise.resolve()

  function fold(record: LogRecord): void {
    try {
      index.fold(record)
    } catch (error) {
      onError(error as Error)
    }
  }

  /** Brings the index to the current end of the log. */
  async function readNew(signal: AbortSignal | undefined): Promise<void> {
    const call = signal === undefined ? {} : { signal }
    const [identity, ends] = await Promise.all([log.identity(topic, call), log.ends(topic, call)])
    const end = ends[artefactsPartition] ?? 0
    if (identity !== followed || end < next) {
      index.clear()
      followed = identity
      next = 0
    }
    await readRange(next, end, fold, signal)
    next = end
  }

  async function readRange(
    from: number,
    end: number,
    take: (record: LogRecord) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await readToEnd({
      log,
      topic,
      partitions: [artefactsPartition],
      maxBatchRecords: 20,
      startAt: () => from,
      endAt: () => end,
      onRecords: (_, records) => records.forEach(take),
      onError,
      ...(signal !== undefined && { signal }),
    })
  }

  function catchUp(signal: AbortSignal | undefined): Promise<void> {
    const caughtUp = turn.then(() => readNew(signal))
    turn = caughtUp.catch(() => undefined)
    return caughtUp
  }

  /** The bytes of a writing; null: the log no longer has all of its parts. */
  async function bytesOf(found: FoundWriting, signal: AbortSignal | undefined): Promise<Uint8Array | null> {
    const parts = new Map<number, Uint8Array>()
    const wanted = new Map([...found.parts].map(([part, position]) => [position, part]))
    const take = ({ key, value, position }: LogRecord): void => {
      const part = wanted.get(position)
      const bytes = part === undefined ? null : decodeArtefactPart(key, value).bytes
      if (part !== undefined && bytes !== null) parts.set(part, bytes)
    }
    await readRange(Math.min(...wanted.keys()), found.newestAt + 1, take, signal)
    if (parts.size < found.count) return null
    const bytes = Buffer.concat(Array.from({ length: found.count }, (_, part) => parts.get(part)!))
    if (artefactDigest(bytes) !== found.sha256)
      throw new ContractError('ARTEFACT_DAMAGED', `${found.name} in ${topic} does not have the SHA-256 of its parts`)
    return new Uint8Array(bytes)
  }

  /** Whether the log has all bytes of a writing as they were written. */
  async function isSound(found: FoundWriting, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await bytesOf(found, signal)) !== null
    } catch (error) {
      if (isContractError(error, 'ARTEFACT_DAMAGED')) return false
      throw error
    }
  }

  async function get(name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    partsOfName(name)
    for (let attempt = 0; attempt < attempts; attempt++) {
      await catchUp(signal)
      const found = index.visible(name)
      if (found === null) break
      const bytes = await bytesOf(found, signal)
      if (bytes !== null) return bytes
    }
    throw new ContractError('ARTEFACT_MISSING', `no artefact ${name} in ${topic}`)
  }

  async function put(name: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (bytes.length > maxArtefactBytes)
      throw new ContractError(
        'ARTEFACT_TOO_LARGE',
        `${name} has ${bytes.length} bytes; at most ${maxArtefactBytes} fit`,
      )
    const records = encodeArtefact(name, bytes, partBytes)
    const sha256 = artefactDigest(bytes)
    const isThis = (found: FoundWriting): boolean => found.sha256 === sha256 && found.count === records.length
    await catchUp(signal)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = index.visible(name)
      if (before !== null && isThis(before) && (await isSound(before, signal))) return
      let first: number | null = null
      for (const record of records) {
        signal?.throwIfAborted()
        const [place] = await log.append(topic, [record], signal === undefined ? {} : { signal })
        first ??= place?.position ?? null
      }
      await catchUp(signal)
      const mine = index.writings(name).find(isThis)
      if (mine?.wholeAt == null) continue
      const { wholeAt } = mine
      // Another writer may be at work: only what it gave up, or what this one replaced, is removed.
      const isOld = (found: FoundWriting): boolean =>
        !isThis(found) && found.newestAt < (found.wholeAt === null ? (first ?? 0) : wholeAt)
      return forget(index.writings(name).filter(isOld))
    }
    throw new ContractError('ARTEFACT_DAMAGED', `another writer of ${name} removed its parts; put it again`)
  }

  async function forget(writings: readonly FoundWriting[]): Promise<void> {
    const gone = writings.flatMap(({ parts, name, sha256, count }) =>
      [...parts.keys()].map((part) => forgetArtefactPart({ name, sha256, count, index: part })),
    )
    if (gone.length > 0) await log.append(topic, gone)
  }

  async function remove(name: string): Promise<void> {
    await catchUp(undefined)
    await forget(index.writings(name))
  }

  async function removeUnfinished(signal: AbortSignal | undefined): Promise<void> {
    await catchUp(signal)
    await forget(index.unfinished().flatMap((name) => index.writings(name)))
  }

  /** Runs one write after the other: writers of one process would remove each other's parts. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = writing.then(work)
    writing = done.catch(() => undefined)
    return done
  }

  return {
    async put(name, bytes, call) {
      partsOfName(name)
      return untilAborted(() => inTurn(() => put(name, bytes, call?.signal)), call)
    },
    get: (name, call) => untilAborted(() => get(name, call?.signal), call),
    list: (prefix, call) =>
      untilAborted(async () => {
        await catchUp(call?.signal)
        return index.names().filter((name) => name.startsWith(prefix))
      }, call),
    unfinished: (call) =>
      untilAborted(async () => {
        await catchUp(call?.signal)
        return index.unfinished()
      }, call),
    removeUnfinished: (call) => untilAborted(() => inTurn(() => removeUnfinished(call?.signal)), call),
    async remove(name, call) {
      partsOfName(name)
      return untilAborted(() => inTurn(() => remove(name)), call)
    },
  }
}
