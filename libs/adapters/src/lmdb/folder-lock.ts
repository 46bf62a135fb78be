import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ContractError } from '@freshet/contracts/errors'

// Keep a reference: the garbage collector would close the database and release its lock.
const held = new Set<DatabaseSync>()

/** A folder locked by this process. */
export interface FolderLock {
  release(): void
}

/**
 * Locks a folder for this process, or throws STORE_IN_USE. The operating system holds the lock (SQLite's exclusive
 * lock on `folder/lock`) and drops it when the process ends, however it ends; a file with a process id would survive a
 * kill, and in containers every process has the same id.
 */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true })
  const holder = join(folder, 'lock.pid')
  const database = new DatabaseSync(join(folder, 'lock'))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new ContractError(
      'STORE_IN_USE',
      `the data folder ${folder} is in use by another process${nameOf(holder)}; stop it, or give another folder`,
      { cause: error },
    )
  }
  writeFileSync(holder, `${process.pid}\n`)
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}

const sqliteBusy = 5

function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown } | null)?.errcode === sqliteBusy
}

function nameOf(holder: string): string {
  try {
    return ` (pid ${readFileSync(holder, 'utf8').trim()})`
  } catch {
    return ''
  }
}
