import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '@freshet/domain/clock'
import { invalid } from './key-file.ts'

/** The texts of files by name; null: no file has the name. */
export type Texts<Name extends string> = Readonly<Record<Name, string | null>>

/** What a process made of the texts of files that may change. */
export interface Watched<Value> {
  current(): Value
  /** Why the newest texts are not in use; null: they are. */
  problem(): string | null
  close(): void
}

/**
 * Reads files, makes a value of their texts, and makes it again when a file changes. Rejects if the first texts cannot be
 * used. Later texts that cannot be used are reported, the value from before stays, and they are read again at every check.
 */
export async function readTexts<Name extends string, Value>({
  files,
  read,
  clock,
  intervalMs,
  onError,
}: {
  /** Paths by name; null: no file. */
  readonly files: Readonly<Record<Name, string | null>>
  readonly read: (texts: Texts<Name>) => Value
  readonly clock: Clock
  readonly intervalMs: number
  readonly onError: (error: unknown) => void
}): Promise<Watched<Value>> {
  const paths = Object.values<string | null>(files).filter((path) => path !== null)
  let version = await versionOf(paths)
  let value = read(await textsOf(files))
  let problem: string | null = null
  let failed = ''
  const closed = new AbortController()
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(intervalMs, closed.signal)
      const next = await versionOf(paths)
      if (next === version && problem === null) continue
      try {
        value = read(await textsOf(files))
        problem = null
        // Only now: after a failure, which may pass by itself, the files are read again.
        version = next
      } catch (error) {
        const { message } = error as Error
        // Once for each problem, not each time.
        if (message !== problem || next !== failed) onError(error)
        failed = next
        problem = message
      }
    }
  }
  // Closing aborts the sleep.
  if (paths.length > 0) void watch().catch(() => undefined)
  return { current: () => value, problem: () => problem, close: () => closed.abort() }
}

async function textsOf<Name extends string>(files: Readonly<Record<Name, string | null>>): Promise<Texts<Name>> {
  const texts: Partial<Record<Name, string | null>> = {}
  for (const [name, path] of Object.entries(files) as [Name, string | null][])
    texts[name] = path === null ? null : await textOf(path)
  return texts as Texts<Name>
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw invalid(path, [`the file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`], error)
  }
}

/** Changes whenever a file does. `stat` follows links, so a Secret of Kubernetes, which exchanges a link, changes too. */
async function versionOf(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => 'missing',
      ),
    ),
  )
  return parts.join('\n')
}
