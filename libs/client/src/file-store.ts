import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open, rename, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { sizeOf, type Entry, type Store } from './store.ts'

/** A line of the file: an entry, added or marked, or the keys of removed ones. */
type Line = Entry | { readonly removed: readonly number[] }

/** A file is rewritten when this much of it is of no more use, and that is more than half. */
const maxWasteBytes = 1 << 20

/**
 * Keeps entries in a file of JSON lines, each written at once, so that a killed process loses none that `add` has resolved for.
 * A power failure may lose the last ones. Throws if the file cannot be read or another process uses it.
 */
export function createFileStore(path: string, onError: (error: Error) => void): Store {
  const file = resolve(path)
  mkdirSync(dirname(file), { recursive: true })
  const unlock = lockFile(file)
  const { entries, lastKey, damagedLines, ...found } = readFile(file)
  if (damagedLines > 0) onError(new Error(`${file}: ${damagedLines} damaged lines were left out`))
  let { fileBytes } = found
  let last = lastKey
  let liveBytes = 0
  for (const entry of entries.values()) liveBytes += sizeOf(entry)
  let handle: FileHandle | null = null
  let turn: Promise<unknown> = Promise.resolve()

  /** One after another. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = turn.then(run)
    turn = result.catch(() => undefined)
    return result
  }

  const write = async (lines: readonly Line[]): Promise<void> => {
    const text = linesOf(lines)
    handle ??= await open(file, 'a')
    try {
      await handle.appendFile(text)
      fileBytes += Buffer.byteLength(text)
    } catch (error) {
      // Part of it may be there.
      await handle.truncate(fileBytes).catch(() => undefined)
      throw error
    }
  }

  /** Writes what is left into a new file, which replaces the old one. */
  const compact = async (): Promise<void> => {
    if (entries.size > 0 && fileBytes < maxWasteBytes + 2 * liveBytes) return
    const text = linesOf([...entries.values()])
    const beside = await open(`${file}.new`, 'w')
    await beside.writeFile(text).finally(() => beside.close())
    await rename(`${file}.new`, file)
    await handle?.close()
    handle = null
    fileBytes = Buffer.byteLength(text)
  }

  return {
    put: (list) =>
      inTurn(async () => {
        const keyed = list.map((entry) => ('key' in entry ? entry : { ...entry, key: ++last }))
        await write(keyed)
        for (const entry of keyed) {
          liveBytes += sizeOf(entry) - (entries.has(entry.key) ? sizeOf(entry) : 0)
          entries.set(entry.key, entry)
        }
      }),
    async first(count) {
      const some: Entry[] = []
      for (const entry of entries.values()) {
        if (some.length >= count) break
        some.push(entry)
      }
      return some
    },
    remove: (keys) =>
      inTurn(async () => {
        await write([{ removed: keys }])
        for (const key of keys) {
          const entry = entries.get(key)
          if (entry !== undefined) liveBytes -= sizeOf(entry)
          entries.delete(key)
        }
        await compact()
      }),
    exclusive: (run) => run(),
    close: () =>
      inTurn(async () => {
        await handle?.close()
        handle = null
        unlock()
      }),
  }
}

function linesOf(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Reads the file, and cuts off a last line that a killed process left unfinished. */
function readFile(file: string): {
  readonly entries: Map<number, Entry>
  readonly lastKey: number
  readonly fileBytes: number
  readonly damagedLines: number
} {
  const entries = new Map<number, Entry>()
  let lastKey = 0
  let damagedLines = 0
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { entries, lastKey, fileBytes: 0, damagedLines }
  }
  const fileBytes = bytes.lastIndexOf(10) + 1
  if (fileBytes < bytes.length) truncateSync(file, fileBytes)
  for (const text of bytes.toString('utf8', 0, fileBytes).split('\n')) {
    if (text === '') continue
    try {
      const line = JSON.parse(text) as Line
      if ('removed' in line) for (const key of line.removed) entries.delete(key)
      else {
        entries.set(line.key, line)
        lastKey = Math.max(lastKey, line.key)
      }
    } catch {
      damagedLines++
    }
  }
  return { entries, lastKey, fileBytes, damagedLines }
}

/** The process that a lock names. */
interface Owner {
  readonly pid: number
  readonly host?: string
  /** When it began; numbers of processes are used again. Empty: not known. */
  readonly began?: string
}

/** Locks that this process holds, also through another copy of this module. */
const shared = globalThis as { [key: symbol]: Set<string> | undefined }
const heldHere = (shared[Symbol.for('freshet.locks')] ??= new Set<string>())
let asides = 0

/** Makes the file this process's own. Throws if another one has it that lives, or that runs on another host. The returned function gives it back. */
function lockFile(file: string): () => void {
  const lock = `${file}.lock`
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), began: beganAt(process.pid) } satisfies Owner)
  for (;;) {
    try {
      create(lock, mine)
      heldHere.add(lock)
      return () => {
        heldHere.delete(lock)
        if (textOf(lock) === mine) rmSync(lock, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const text = textOf(lock)
      const owner = ownerIn(text)
      if (heldHere.has(lock) || isAlive(owner))
        throw new Error(
          `${file} is in use by process ${owner.pid}${isElsewhere(owner) ? ` on ${owner.host}` : ''}; give each process a file of its own, or delete ${lock} if that process is gone`,
          { cause: error },
        )
      removeStale(lock, text)
    }
  }
}

/** Creates a file, which others see only when it is finished. */
function create(path: string, text: string): void {
  const aside = asideOf(path)
  writeFileSync(aside, text)
  try {
    linkSync(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // Not every file system has links.
    writeFileSync(path, text, { flag: 'wx' })
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Removes a lock, unless another process has just replaced it by its own. */
function removeStale(lock: string, text: string): void {
  const aside = asideOf(lock)
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return
  }
  const taken = textOf(aside)
  rmSync(aside, { force: true })
  if (taken !== text) create(lock, taken)
}

function asideOf(path: string): string {
  return `${path}.${hostname()}.${process.pid}.${asides++}`
}

/** Empty: there is no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return ''
  }
}

function ownerIn(text: string): Owner {
  try {
    const owner = JSON.parse(text) as number | Owner
    return typeof owner === 'number' ? { pid: owner } : owner
  } catch {
    return { pid: 0 }
  }
}

function isElsewhere({ host = hostname() }: Owner): boolean {
  return host !== hostname()
}

/** Of a process on another host nobody knows. */
function isAlive(owner: Owner): boolean {
  if (isElsewhere(owner)) return true
  const { pid, began = '' } = owner
  // In a container, the process that was killed before had the same number.
  if (!(pid > 0) || (began ? began !== beganAt(pid) : pid === process.pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process began, in ticks since the boot of the machine; empty: not known. */
function beganAt(pid: number): string {
  try {
    // After the name of the program, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
