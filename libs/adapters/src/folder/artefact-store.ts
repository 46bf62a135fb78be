import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { artefactNamePart, partsOfName } from '../shared/artefact-name.ts'
import { untilAborted } from '../shared/until-aborted.ts'
import { uniqueName } from '../system/unique-name.ts'

/** Suffix of files that are being written; no artefact name ends with it. */
const unfinished = '~'

/**
 * Artefacts as files below a folder; the first put creates the folder. A put writes a temporary file, flushes it to
 * disk and renames it, so a reader or a crash finds the old bytes or the new ones. No part of a name begins with a dot.
 */
export function createFolderArtefactStore(folder: string): ArtefactStore {
  const pathOf = (name: string): string => join(folder, ...partsOfName(name))

  async function put(name: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const path = pathOf(name)
    const beside = `${path}.${uniqueName()}${unfinished}`
    try {
      await mkdir(dirname(path), { recursive: true })
      const file = await open(beside, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      signal?.throwIfAborted()
      await rename(beside, path)
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined)
      if (isAny(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw taken(name, error)
      throw error
    }
    await syncFolder(dirname(path))
  }

  async function get(name: string): Promise<Uint8Array> {
    try {
      return new Uint8Array(await readFile(pathOf(name)))
    } catch (error) {
      if (isAny(error, 'ENOENT', 'EISDIR', 'ENOTDIR')) {
        throw new ContractError('ARTEFACT_MISSING', `no artefact ${name} in ${folder}`, { cause: error })
      }
      throw error
    }
  }

  async function list(prefix: string): Promise<readonly string[]> {
    const found = await filesBelow(folder, '')
    return found.filter((name) => name.startsWith(prefix)).sort()
  }

  async function remove(name: string): Promise<void> {
    try {
      await rm(pathOf(name))
    } catch (error) {
      if (!isAny(error, 'ENOENT', 'ENOTDIR', 'ERR_FS_EISDIR', 'EISDIR')) throw error
    }
  }

  return {
    put: (name, bytes, call) => untilAborted(() => put(name, bytes, call?.signal), call),
    get: (name, call) => untilAborted(() => get(name), call),
    list: (prefix, call) => untilAborted(() => list(prefix), call),
    remove: (name, call) => untilAborted(() => remove(name), call),
  }
}

function taken(name: string, cause: unknown): ContractError {
  return new ContractError('ARTEFACT_NAME', `${name}: an artefact cannot be a folder of others`, { cause })
}

async function filesBelow(folder: string, prefix: string): Promise<string[]> {
  let entries
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isAny(error, 'ENOENT')) return []
    throw error
  }
  const nested = entries.map(async (entry) => {
    if (!artefactNamePart.test(entry.name)) return []
    const name = prefix + entry.name
    if (entry.isDirectory()) return filesBelow(join(folder, entry.name), `${name}/`)
    return entry.isFile() ? [name] : []
  })
  return (await Promise.all(nested)).flat()
}

/** Flushes a folder: a rename is durable only after that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isAny(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}
