import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ArgumentError } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { artefactsName } from './backup.ts'
import { runCheck } from './check.ts'
import { verifiedManifest } from './manifest.ts'

/**
 * `freshet restore BACKUP --data FOLDER`: compares the backup with its manifest, copies it into a new data folder and checks the result.
 * Throws BACKUP_DAMAGED before it writes anything, and CHECK_FAILED afterwards; then the folder stays for a look.
 */
export async function runRestore(
  backup: string,
  given: { readonly data: string; readonly check?: boolean },
  terminal: Terminal,
): Promise<void> {
  const { data } = given
  const manifest = await verifiedManifest(backup)
  // Artefacts of another log, or of a restore that was interrupted, would be mixed with those of the backup.
  for (const name of ['data.mdb', artefactsName])
    if (existsSync(join(data, name)))
      throw new ArgumentError(`--data ${data} holds data already (${name}); move it away, or give another folder`)
  // The data file comes last: a folder without it is not a data folder, so an interrupted restore is never served.
  const paths = manifest.files
    .map(({ path }) => path)
    .toSorted((a, b) => Number(a === 'data.mdb') - Number(b === 'data.mdb'))
  for (const path of paths) {
    mkdirSync(dirname(join(data, path)), { recursive: true })
    cpSync(join(backup, path), join(data, path))
  }
  terminal.write(`restored ${paths.length} files of ${manifest.copiedAt}, made by ${manifest.freshet}\n`)
  if (given.check !== false) await runCheck({ data }, terminal)
}
