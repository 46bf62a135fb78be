import { existsSync, mkdirSync, statSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ContractError } from '@freshet/contracts/errors'
import { open } from 'lmdb'
import { checkDataFile } from './data-file.ts'

/**
 * Copies the data file of a folder as it is at one moment, between two transactions, into the folder `to`, also while another process
 * writes it. Resolves to the size of the copy in bytes when the copy is on disk. Throws ARTEFACT_MISSING if there is no data file, STORE_DAMAGED if it cannot be read.
 */
export async function copyDataFile(folder: string, to: string): Promise<number> {
  if (!existsSync(join(folder, 'data.mdb')))
    throw new ContractError('ARTEFACT_MISSING', `${folder} has no data.mdb: it is not a data folder`)
  await checkDataFile(folder, { walk: false })
  mkdirSync(to, { recursive: true })
  const source = open({
    path: folder,
    noSubdir: false,
    maxDbs: 256,
    readOnly: true,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
  try {
    // LMDB copies inside a read transaction. Like the source, the target is named by its folder.
    await source.backup(to, false)
  } finally {
    await source.close()
  }
  const copy = join(to, 'data.mdb')
  const handle = await openFile(copy, 'r')
  await handle.sync()
  await handle.close()
  return statSync(copy).size
}
