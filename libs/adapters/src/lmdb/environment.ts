import { ContractError, isContractError } from '@freshet/contracts/errors'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { checkDataFile, writeFailure } from './data-file.ts'
import { lockFolder } from './folder-lock.ts'

/** A database with bytes as keys and values. `get` copies, so its result stays valid. */
export type BytesDatabase = Database<Uint8Array, Uint8Array>

/** An open data folder: named databases in one LMDB environment, and transactions over all of them. */
export interface LmdbEnvironment {
  readonly folder: string
  /** Opens or creates a database; at most 256 in one folder. Keys are 1–1,978 bytes, ordered as unsigned bytes. */
  database(name: string): BytesDatabase
  /**
   * The same database to read ranges from: the values lie together in large pieces of memory. Thousands of small pieces would leave
   * the memory of the process in fragments. A value that is kept keeps its whole piece: copy it.
   */
  scan(name: string): Pick<BytesDatabase, 'getRange'>
  /**
   * Rejects with STORE_FULL when the disk is full.
   * Runs `work` inside a write transaction and resolves when the transaction is on disk. Works queued while a transaction is being
   * written share the next one, in the order they came, so concurrent writers share one fsync. `work` must be
   * synchronous, and must check before it writes: its writes before an exception stay.
   * With `lingerMs` the work waits at most this long for other work, so that both share a transaction; it keeps its place in the order.
   */
  transaction<T>(work: () => T, lingerMs?: number): Promise<T>
  /** Begins at once what lingers. */
  hurry(): void
  /** Why the last transaction failed for lack of space; null: it was written. */
  problem(): string | null
  /** Waits for queued work, closes the files and releases the lock. Later transactions reject. Idempotent. */
  close(): Promise<void>
}

/** Options of an environment. */
export interface LmdbEnvironmentOptions {
  /** Created if missing. One process at a time: a second one gets STORE_IN_USE. */
  readonly folder: string
  /** false: a power cut may lose the last commits (a killed process never does). Default true. */
  readonly fsync?: boolean
  /** Lets another process read the whole file first, so that a damaged file is an error and does not end this process. Default false: only if its length is suspicious. */
  readonly probe?: boolean
  /** Maximum number of works in one transaction, so that the event loop is not blocked for long. Default 256. */
  readonly maxWorksPerTransaction?: number
}

interface Queued {
  readonly run: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly lingerMs: number
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Opens a data folder. Throws STORE_DAMAGED if its file cannot be read, STORE_IN_USE when another process (or this one) has it open; a killed process's lock does not count. */
export async function openEnvironment(options: LmdbEnvironmentOptions): Promise<LmdbEnvironment> {
  const { folder, fsync = true, probe = false, maxWorksPerTransaction = 256 } = options
  const lock = lockFolder(folder)
  let root: RootDatabase<Uint8Array, Uint8Array>
  try {
    await checkDataFile(folder, { walk: probe })
    // Without overlappingSync a commit resolves only once it is on disk.
    root = open({
      path: folder,
      noSubdir: false,
      maxDbs: 256,
      overlappingSync: false,
      noSync: !fsync,
      // This module batches works itself. lmdb's own batches have a promise that nobody can handle: a full disk would reject it and end the process.
      eventTurnBatching: false,
      ...bytesOnly,
    })
  } catch (error) {
    lock.release()
    throw error
  }
  const databases = new Map<string, BytesDatabase>()
  const scans = new Map<string, BytesDatabase>()
  const encoder = createPieces()
  let queue: Queued[] = []
  // So many works at the head of the queue are to be written now; those behind them linger.
  let pressing = 0
  let writing: Promise<void> | null = null
  let lingering: NodeJS.Timeout | null = null
  let closed: Promise<void> | null = null
  let problem: string | null = null

  async function writeAll(): Promise<void> {
    while (pressing > 0) {
      const works = queue.slice(0, maxWorksPerTransaction)
      queue = queue.slice(maxWorksPerTransaction)
      pressing = Math.max(0, pressing - works.length)
      let outcomes: readonly Outcome[]
      try {
        outcomes = await root.transaction(() => works.map(outcomeOf))
        problem = null
      } catch (error) {
        const cause = writeFailure(folder, await causeOf(error))
        if (isContractError(cause, 'STORE_FULL')) problem = cause.message
        for (const work of works) work.reject(cause)
        continue
      }
      works.forEach((work, i) => {
        const outcome = outcomes[i]
        if (outcome !== undefined && 'value' in outcome) work.resolve(outcome.value)
        else work.reject(outcome?.error)
      })
    }
    writing = null
    linger()
  }

  /** Writes all that is queued. */
  function begin(): void {
    if (lingering !== null) clearTimeout(lingering)
    lingering = null
    pressing = queue.length
    if (pressing > 0) writing ??= Promise.resolve().then(writeAll)
  }

  function linger(): void {
    const [first] = queue
    if (first !== undefined) lingering ??= setTimeout(begin, first.lingerMs)
  }

  return {
    folder,
    problem: () => problem,

    database(name) {
      let database = databases.get(name)
      if (database === undefined) {
        database = root.openDB<Uint8Array, Uint8Array>({ name, ...bytesOnly })
        databases.set(name, database)
      }
      return database
    },

    scan(name) {
      let database = scans.get(name)
      if (database === undefined) {
        // lmdb's types do not have `encoder`.
        const withEncoder = { name, ...bytesOnly, encoder }
        database = root.openDB<Uint8Array, Uint8Array>(withEncoder)
        scans.set(name, database)
      }
      return database
    },

    hurry: begin,

    transaction<T>(work: () => T, lingerMs = 0): Promise<T> {
      if (closed !== null) return Promise.reject(new ContractError('STORE_CLOSED', `${folder} was closed`))
      return new Promise<T>((resolve, reject) => {
        queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject, lingerMs })
        if (lingerMs <= 0) begin()
        else if (writing === null) linger()
      })
    },

    close() {
      closed ??= (async () => {
        begin()
        await writing
        await root.close()
        lock.release()
      })()
      return closed
    },
  }
}

const bytesOnly = { encoding: 'binary', keyEncoding: 'binary' } as const satisfies {
  encoding: string
  keyEncoding: string
}

/** Bytes of a piece. It is large enough to be given back to the system when nothing needs it. */
const pieceBytes = 256 << 10

/** Copies values out of lmdb's buffer, one behind the other. */
function createPieces(): { encode(value: Uint8Array): Uint8Array; decode(bytes: Uint8Array, length: number): Buffer } {
  let piece = Buffer.alloc(0)
  let at = 0
  return {
    encode: (value) => value,
    decode(bytes, length) {
      if (at + length > piece.length) {
        piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, length))
        at = 0
      }
      // The buffer is longer than it says.
      piece.set(new Uint8Array(bytes.buffer, bytes.byteOffset, length), at)
      at += length
      return piece.subarray(at - length, at)
    },
  }
}

function outcomeOf(work: Queued): Outcome {
  try {
    return { value: work.run() }
  } catch (error) {
    return { error }
  }
}

async function causeOf(error: unknown): Promise<unknown> {
  const commitError = (error as { commitError?: Promise<never> } | null)?.commitError
  if (commitError === undefined) return error
  return commitError.catch((cause: unknown) => cause)
}
