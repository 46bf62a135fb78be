import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { appendFile, mkdir, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ContractError } from '@freshet/contracts/errors'

/** A file that a page sends in pieces. */
export interface Upload {
  readonly id: string
  /** As the page named it. */
  readonly name: string
  readonly path: string
  readonly folder: string
  bytes: number
}

/** Files that pages have sent. */
export interface Uploads {
  create(name: string): Promise<Upload>
  /** Adds a piece. `at`: the bytes before it. A piece that is there already is skipped, so that a page can send it again. Throws CALL_INVALID_ARGUMENT. */
  append(id: string, at: number, piece: Uint8Array): Promise<Upload>
  /** Throws CALL_INVALID_ARGUMENT if there is no such file. */
  get(id: string): Upload
  remove(id: string): Promise<void>
  close(): Promise<void>
}

/** Bounds and place of uploads. */
export interface UploadsOptions {
  readonly folder: string
  readonly maxFiles: number
  readonly maxFileBytes: number
  readonly newId: () => string
}

const folderPrefix = 'freshet-console-'
/** Longer than a console keeps a file, so that the folder of a running one stays. */
const leftMs = 2 * 86_400_000

/** Makes a folder for uploads, and removes those of consoles that ended without removing theirs. */
export function newUploadsFolder(nowMs: number, within = tmpdir()): string {
  const left = readdirSync(within).filter((name) => name.startsWith(folderPrefix))
  for (const path of left.map((name) => join(within, name))) {
    try {
      if (nowMs - lstatSync(path).mtimeMs > leftMs) rmSync(path, { recursive: true, force: true })
    } catch {
      // Another console removes it, or it belongs to another user.
    }
  }
  return mkdtempSync(join(within, folderPrefix))
}

/** Keeps uploads in a folder, which nothing else may use. */
export function createUploads({ folder, maxFiles, maxFileBytes, newId }: UploadsOptions): Uploads {
  const uploads = new Map<string, Upload>()
  /** The append under way of each upload, so that pieces come one after the other. */
  const turns = new Map<string, Promise<unknown>>()

  const get = (id: string): Upload => {
    const upload = uploads.get(id)
    if (upload === undefined)
      throw new ContractError('CALL_INVALID_ARGUMENT', `there is no upload ${id.slice(0, 100)}; send the file again`)
    return upload
  }
  const append = async (upload: Upload, at: number, piece: Uint8Array): Promise<Upload> => {
    if (at + piece.length <= upload.bytes) return upload
    if (at !== upload.bytes)
      throw new ContractError(
        'CALL_INVALID_ARGUMENT',
        `the next piece of the file begins at ${upload.bytes}, not ${at}`,
      )
    if (upload.bytes + piece.length > maxFileBytes)
      throw new ContractError(
        'CALL_INVALID_ARGUMENT',
        `the file is larger than ${Math.floor(maxFileBytes / 1e6)} MB; import it with \`freshet import\``,
      )
    await writeAt(upload.path, at, piece)
    upload.bytes += piece.length
    return upload
  }

  return {
    async create(name) {
      if (uploads.size >= maxFiles)
        throw new ContractError('CALL_UNAVAILABLE', `${maxFiles} files are here already; remove one first`)
      const id = newId()
      const own = join(folder, id)
      const upload = { id, name, path: join(own, fileNameOf(name)), folder: own, bytes: 0 }
      uploads.set(id, upload)
      await mkdir(own, { recursive: true, mode: 0o700 })
      await appendFile(upload.path, '', { mode: 0o600 })
      return upload
    },
    append(id, at, piece) {
      const upload = get(id)
      const turn = (turns.get(id) ?? Promise.resolve()).then(() => append(upload, at, piece))
      const quiet = turn.catch(() => undefined)
      turns.set(id, quiet)
      return turn
    },
    get,
    async remove(id) {
      const upload = get(id)
      await turns.get(id)
      uploads.delete(id)
      turns.delete(id)
      await rm(upload.folder, { recursive: true, force: true })
    },
    async close() {
      await Promise.all(turns.values())
      uploads.clear()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Writes a piece where it belongs: what a failed try left of it, on a disk that was full, must not stay in the file. */
async function writeAt(path: string, at: number, piece: Uint8Array): Promise<void> {
  const file = await open(path, 'a')
  try {
    await file.truncate(at)
    await appendFile(file, piece)
  } finally {
    await file.close()
  }
}

/** The name of a file without folders and strange characters. Its ending says how to read it. */
function fileNameOf(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? ''
  const plain = base.replaceAll(/[^\w.-]/g, '_').replace(/^\.+/, '')
  return plain === '' ? 'file' : plain.slice(-100)
}
