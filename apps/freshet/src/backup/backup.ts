import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { copyDataFile } from '@freshet/adapters/lmdb/copy-data-file'
import type { Clock } from '@freshet/domain/clock'
import { version } from '@freshet/domain/version'
import { ArgumentError } from '../arguments.ts'
import { sampleMarkName } from '../dev/fill.ts'
import type { Terminal } from '../operations/terminal.ts'
import { describeFile, manifestName, type BackupManifest } from './manifest.ts'

/** The folder of snapshots, checkpoints, rows and models inside a data folder. */
export const artefactsName = 'artefacts'
const modelsName = join(artefactsName, 'models')
/** Passes over the artefacts until one finds that nothing changed meanwhile. */
const maxPasses = 20

/**
 * `freshet backup DIR`: copies a data folder, also while `freshet dev` uses it. Artefacts come first, so that no snapshot or checkpoint
 * is ahead of the log in the copy; then the data file (log, state and positions as of one moment); then models that were stored meanwhile,
 * so that every model of the copied registry is there. The manifest comes last.
 */
export async function runBackup(
  to: string,
  given: { readonly data: string },
  terminal: Terminal,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  const { data } = given
  if (!existsSync(join(data, 'data.mdb')))
    throw new ArgumentError(`--data ${data} is not a data folder: it has no data.mdb`)
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new ArgumentError(`${to} is not empty; give a folder that does not exist, one for each backup`)
  mkdirSync(to, { recursive: true })
  // Without its mark a restored sample would have no pictures, and one that is unfinished would stay so.
  if (existsSync(join(data, sampleMarkName))) copyFileSync(join(data, sampleMarkName), join(to, sampleMarkName))
  const isSettled = copyUntilUnchanged(data, to, artefactsName)
  const copiedAtMs = clock.now()
  await copyDataFile(data, to)
  copyNew(data, to, modelsName)
  const files = []
  for (const path of filesBelow(to)) files.push(await describeFile(to, path))
  const manifest: BackupManifest = {
    format: 1,
    freshet: version,
    copiedAt: new Date(copiedAtMs).toISOString(),
    files,
  }
  writeFileSync(join(to, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true })
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  terminal.write(`copied ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, as of ${manifest.copiedAt}\n`)
  if (!isSettled)
    terminal.write('checkpoints changed during the copy: what does not fit together is made again from the log\n')
}

/** Copies a folder until a pass finds it as the pass before did; false: it never stood still. */
function copyUntilUnchanged(from: string, to: string, name: string): boolean {
  let before = ''
  for (let pass = 0; pass < maxPasses; pass++) {
    const found = listing(from, name)
    if (found === before) return true
    before = found
    rmSync(join(to, name), { recursive: true, force: true })
    copyNew(from, to, name)
  }
  return false
}

function listing(folder: string, name: string): string {
  return filesBelow(join(folder, name))
    .map((path) => {
      const stat = statOf(join(folder, name, path))
      return stat === null ? '' : `${path} ${stat.size} ${stat.mtimeMs}`
    })
    .join('\n')
}

/** Copies the files that are not in the copy yet. Files that vanish meanwhile are left out: their owner removed them. */
function copyNew(from: string, to: string, name: string): void {
  for (const path of filesBelow(join(from, name))) {
    const target = join(to, name, path)
    if (existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    try {
      copyFileSync(join(from, name, path), target)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

function statOf(path: string): { readonly size: number; readonly mtimeMs: number } | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null
}

/** Paths of all files below a folder, sorted, without those that are being written (`~`) and LMDB's list of readers. */
export function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('~') && entry.name !== 'lock.mdb')
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()
}
