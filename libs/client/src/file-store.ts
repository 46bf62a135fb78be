import { closeSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { open, rename, type FileHandle } from 'node:fs/promises'
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

const heldHere = new Set<string>()

/** Makes the file this process's own. Throws if a living process has it. The returned function gives it back. */
function lockFile(file: string): () => void {
  const lock = `${file}.lock`
  for (;;) {
    try {
      const opened = openSync(lock, 'wx')
      writeSync(opened, String(process.pid))
      closeSync(opened)
      heldHere.add(lock)
      return () => {
        heldHere.delete(lock)
        rmSync(lock, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const owner = Number(readFileSync(lock, 'utf8'))
      // In a container, the process that was killed before had the same number.
      const isHeld = owner === process.pid ? heldHere.has(lock) : isAlive(owner)
      if (isHeld)
        throw new Error(
          `${file} is in use by process ${owner}; give each process a file of its own, or delete ${lock} if that is another program`,
          { cause: error },
        )
      rmSync(lock, { force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
