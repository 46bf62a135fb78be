import { execFile } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ContractError } from '@freshet/contracts/errors'

/** LMDB's magic number, and the offsets in a meta page (on 64-bit systems). The first two pages of a file are meta pages. */
const magic = 0xbeefc0de
const at = { magic: 24, pageBytes: 48, lastPage: 144, transaction: 152, end: 160 } as const

/** Longest check of a file before it is opened, milliseconds; the rest of the file is not checked. */
const probeTimeoutMs = 60_000

/**
 * Rejects with STORE_DAMAGED if a data folder's file cannot be read. LMDB maps the file into memory: reading a missing
 * page, or one with an invalid pointer, ends the process by a signal without a message. So this compares the length with
 * the meta pages. If they disagree, or with `walk`, another process reads the whole file first.
 */
export async function checkDataFile(folder: string, { walk }: { readonly walk: boolean }): Promise<void> {
  const file = join(folder, 'data.mdb')
  if (!existsSync(file) || statSync(file).size === 0) return
  const problem = lengthProblem(file)
  if (problem?.isCertain === true) throw damaged(file, problem.text)
  if (problem === null && !walk) return
  const found = await walkProblem(folder)
  if (found !== null) throw damaged(file, problem === null ? found : `${problem.text}; ${found}`)
}

function damaged(file: string, why: string): ContractError {
  return new ContractError(
    'STORE_DAMAGED',
    `${file} is damaged or cut off (${why}); restore a copy of it, or move it away to begin with an empty one`,
  )
}

interface Problem {
  readonly text: string
  /** false: LMDB may have left out pages at the end that it does not use. */
  readonly isCertain: boolean
}

/** How a file's length disagrees with its meta pages. */
function lengthProblem(file: string): Problem | null {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const first = metaAt(descriptor, 0)
    if (first === null) return { text: `${size} bytes that do not begin as a data file does`, isCertain: true }
    const second = metaAt(descriptor, first.pageBytes)
    if (second === null) return { text: `${size} bytes without a second page of its own kind`, isCertain: true }
    const { lastPage, pageBytes } = first.transaction > second.transaction ? first : second
    const wanted = (lastPage + 1) * pageBytes
    return size >= wanted ? null : { text: `${size} bytes instead of ${wanted}`, isCertain: false }
  } finally {
    closeSync(descriptor)
  }
}

function metaAt(descriptor: number, offset: number) {
  const page = Buffer.alloc(at.end)
  if (readSync(descriptor, page, 0, at.end, offset) < at.end || page.readUInt32LE(at.magic) !== magic) return null
  const pageBytes = page.readUInt32LE(at.pageBytes)
  if (pageBytes < 512 || pageBytes > 65_536) return null
  const number = (from: number): number => Number(page.readBigUInt64LE(from))
  return { pageBytes, lastPage: number(at.lastPage), transaction: number(at.transaction) }
}

const walker = `
const [, lmdb, path] = process.argv
const { open } = await import(lmdb)
const bytes = { encoding: 'binary', keyEncoding: 'binary' }
const root = open({ path, noSubdir: false, maxDbs: 256, readOnly: true, ...bytes })
for (const name of [...root.getKeys()]) {
  const database = root.openDB({ name: Buffer.from(name).toString(), ...bytes })
  for (const { value } of database.getRange()) if (value.length > 0) value[value.length - 1]
}
await root.close()
`

/** How a process that reads the whole file fails; null: it does not. */
function walkProblem(folder: string): Promise<string | null> {
  const settings = ['--input-type=module', '-e', walker, import.meta.resolve('lmdb'), folder]
  const { promise, resolve } = Promise.withResolvers<string | null>()
  execFile(process.execPath, settings, { timeout: probeTimeoutMs, killSignal: 'SIGKILL' }, (error, _out, stderr) => {
    if (error === null || error.killed === true) return resolve(null)
    const line = stderr.split('\n').find((text) => /Error/.test(text)) ?? ''
    const { signal, code } = error
    resolve(
      signal == null ? `reading it failed: ${line.trim() || `exit code ${code}`}` : `reading it ends in ${signal}`,
    )
  })
  return promise
}

/** Errors of LMDB and the system when a disk, a quota or the map is full. An incomplete write shows as an I/O error. */
const fullCodes: ReadonlySet<unknown> = new Set([28, 122, -30792, 'ENOSPC', 'EDQUOT'])
const ioErrorCodes: ReadonlySet<unknown> = new Set([5, 'EIO'])
const littleBytes = 32 << 20

/** Returns STORE_FULL if a write failed for lack of space, otherwise the thrown error. */
export function writeFailure(folder: string, error: unknown): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  const freeBytes = freeBytesOf(folder)
  const isFull = fullCodes.has(code) || (ioErrorCodes.has(code) && freeBytes !== null && freeBytes < littleBytes)
  if (!isFull) return error
  const free = freeBytes === null ? '' : `; ${Math.floor(freeBytes / 1024)} KiB are free`
  return new ContractError(
    'STORE_FULL',
    `the disk of the data folder ${folder} has no room${free}; it goes on by itself when there is some`,
    { cause: error },
  )
}

function freeBytesOf(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return null
  }
}
