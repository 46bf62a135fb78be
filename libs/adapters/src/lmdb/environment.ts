import { ContractError } from '@freshet/contracts/errors'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { lockFolder } from './folder-lock.ts'

/** Keys and values are bytes; `get` copies, so what it answers stays valid. */
export type BytesDatabase = Database<Uint8Array, Uint8Array>

/** An open data folder: named databases in one LMDB environment, and transactions over all of them. */
export interface LmdbEnvironment {
  readonly folder: string
  /** Opens or creates a database; at most 256 in one folder. Keys are 1–1,978 bytes, ordered as unsigned bytes. */
  database(name: string): BytesDatabase
  /**
   * Runs `work` inside a write transaction and resolves when that is on disk. Works queued while a transaction is being
   * written share the next one, in the order they came, so concurrent writers share one fsync. `work` must be
   * synchronous, and must check before it writes: what it wrote before throwing stays.
   */
  transaction<T>(work: () => T): Promise<T>
  /** Waits for what is queued, closes the files and gives up the lock. Later transactions reject. Doing it twice is harmless. */
  close(): Promise<void>
}

/** Where and how an environment is opened. */
export interface LmdbEnvironmentOptions {
  /** Made if missing. One process at a time: a second one gets STORE_IN_USE. */
  readonly folder: string
  /** false: a power cut may lose the last commits (a killed process never does). Default true. */
  readonly fsync?: boolean
  /** Works that share one transaction at most, so that the event loop is not held for long. Default 256. */
  readonly maxWorksPerTransaction?: number
}

interface Queued {
  readonly run: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Opens a data folder. Throws STORE_IN_USE when another process (or this one) has it open; a killed process's lock does not count. */
export async function openEnvironment(options: LmdbEnvironmentOptions): Promise<LmdbEnvironment> {
  const { folder, fsync = true, maxWorksPerTransaction = 256 } = options
  const lock = lockFolder(folder)
  let root: RootDatabase<Uint8Array, Uint8Array>
  try {
    // Without overlappingSync a commit resolves only once it is on disk.
    root = open({ path: folder, noSubdir: false, maxDbs: 256, overlappingSync: false, noSync: !fsync, ...bytesOnly })
  } catch (error) {
    lock.release()
    throw error
  }
  const databases = new Map<string, BytesDatabase>()
  let queue: Queued[] = []
  let writing: Promise<void> | null = null
  let closed: Promise<void> | null = null

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      const works = queue.slice(0, maxWorksPerTransaction)
      queue = queue.slice(maxWorksPerTransaction)
      let outcomes: readonly Outcome[]
      try {
        outcomes = await root.transaction(() => works.map(outcomeOf))
      } catch (error) {
        const cause = await causeOf(error)
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
  }

  return {
    folder,

    database(name) {
      let database = databases.get(name)
      if (database === undefined) {
        database = root.openDB<Uint8Array, Uint8Array>({ name, ...bytesOnly })
        databases.set(name, database)
      }
      return database
    },

    transaction<T>(work: () => T): Promise<T> {
      if (closed !== null) return Promise.reject(new ContractError('STORE_CLOSED', `${folder} was closed`))
      return new Promise<T>((resolve, reject) => {
        queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject })
        writing ??= Promise.resolve().then(writeAll)
      })
    },

    close() {
      closed ??= (async () => {
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
