import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { OperationError } from '../operations/errors.ts'

/** The file of a backup that is written last: without it the backup is incomplete. */
export const manifestName = 'backup.json'

/** What a backup holds. */
export interface BackupManifest {
  readonly format: 1
  /** The version of Freshet that made it. */
  readonly freshet: string
  /** When the data file was copied, as an RFC 3339 time. What came later is not in the backup. */
  readonly copiedAt: string
  readonly files: readonly BackupFile[]
}

/** A file of a backup, by its path below the backup's folder. */
export interface BackupFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** Reads a file once and describes it. */
export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { path, bytes, sha256: hash.digest('hex') }
}

/** The manifest of a backup whose files are all as they were written. Throws BACKUP_DAMAGED with every file that is not. */
export async function verifiedManifest(folder: string): Promise<BackupManifest> {
  const manifest = readManifest(folder)
  const wrong: string[] = []
  for (const file of manifest.files) {
    const path = join(folder, file.path)
    if (!existsSync(path)) wrong.push(`${file.path} is missing`)
    else if (statSync(path).size !== file.bytes)
      wrong.push(`${file.path} has ${statSync(path).size} bytes instead of ${file.bytes}`)
    else if ((await describeFile(folder, file.path)).sha256 !== file.sha256)
      wrong.push(`${file.path} has other bytes than when it was written`)
  }
  if (wrong.length > 0)
    throw new OperationError('BACKUP_DAMAGED', `the backup ${folder} is damaged: ${wrong.join('; ')}; take another one`)
  return manifest
}

function readManifest(folder: string): BackupManifest {
  const file = join(folder, manifestName)
  if (!existsSync(file))
    throw new OperationError(
      'BACKUP_DAMAGED',
      `${folder} has no ${manifestName}: it is not a backup, or \`freshet backup\` did not end; take another one`,
    )
  const manifest = parse(file)
  if (manifest?.format !== 1 || !Array.isArray(manifest.files))
    throw new OperationError('BACKUP_DAMAGED', `${file} is not a manifest that this version can read`)
  const files: readonly BackupFile[] = manifest.files
  const outside = files.find(({ path }) => isAbsolute(path) || normalize(path).startsWith('..'))
  if (outside !== undefined)
    throw new OperationError('BACKUP_DAMAGED', `${file} names ${outside.path}, which is outside of the backup`)
  return manifest
}

function parse(file: string): BackupManifest | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BackupManifest
  } catch {
    return null
  }
}
