import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Terminal } from '../operations/terminal.ts'
import { runImport, type ImportArguments } from './command.ts'

/** The output of an import, and its error. */
export interface Ended {
  readonly output: string
  /** What it wrote about its progress. */
  readonly progress: string
  readonly error: (Error & { readonly code?: string }) | null
  /** Counts in the table at the end, by label. */
  readonly counts: Readonly<Record<string, number>>
}

/** A folder for files, and the path of a data folder in it that does not exist yet. */
export interface ImportWorld {
  readonly folder: string
  readonly data: string
  /** Writes a file; gzips it if the name ends in `.gz`. Returns its path. */
  file(name: string, content: string | Uint8Array): string
  run(files: string | readonly string[], given?: Partial<ImportArguments>): Promise<Ended>
  close(): void
}

/** Runs imports in this process, in a temporary folder. */
export function anImportWorld(): ImportWorld {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-import-test-'))
  const data = join(folder, 'data')
  return {
    folder,
    data,
    file(name, content) {
      const path = join(folder, name)
      writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content)
      return path
    },
    async run(files, given = {}) {
      let output = ''
      let progress = ''
      const terminal: Terminal = {
        write: (text) => (output += text),
        progress: { write: (text) => (progress += text) !== '' },
        nowMs: () => performance.now(),
        signal: new AbortController().signal,
      }
      const where = given.target === undefined ? { data } : {}
      let error: Ended['error'] = null
      try {
        await runImport(
          typeof files === 'string' ? [files] : files,
          { partitions: '4', ...where, ...given },
          terminal,
          {},
        )
      } catch (thrown) {
        error = thrown as Error
      }
      return { output, progress, error, counts: readCounts(output) }
    },
    close: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function readCounts(output: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of output.split('\n')) {
    const [, label, count] = /^ *([A-Za-z][\w. ]*?) {2,}([\d,]+)(?: {2}|$)/.exec(line) ?? []
    if (label !== undefined && count !== undefined) counts[label] = Number(count.replaceAll(',', ''))
  }
  return counts
}

/** A MovieLens `ratings.csv` with `users` × `items` rows, whose times span three years. */
export function someRatings(users: number, items: number): string {
  const rows = ['userId,movieId,rating,timestamp']
  for (let user = 1; user <= users; user++) {
    for (let item = 1; item <= items; item++) {
      const seconds = 1_300_000_000 + ((user * 7919 + item * 104_729) % 94_608_000)
      rows.push(`${user},${item},${(((user * item) % 10) + 1) / 2},${seconds}`)
    }
  }
  return `${rows.join('\n')}\n`
}
