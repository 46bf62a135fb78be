import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** A file of the built page, in memory. */
export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** Shorter forms by their content encoding. */
  readonly packed: ReadonlyMap<'br' | 'gzip', Buffer>
  /** The name has a hash of the content, so it never changes. */
  readonly immutable: boolean
}

/** The files of a built page by their paths, such as `/assets/index-a1b2c3d4.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const isText = /^(text\/|application\/|image\/svg)/
/** Shorter than this, a header costs more than is won. */
const minPackedBytes = 512

/** Reads every file of a folder into memory, so that no path of a request ever reaches the file system. */
export async function readPage(folder: string): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.') && extname(entry.name) in types)
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name)
        const file = await pageFile(path)
        return [`/${relative(folder, path).split(sep).join('/')}`, file] as const
      }),
    ),
  )
}

async function pageFile(path: string): Promise<PageFile> {
  const bytes = await readFile(path)
  const type = types[extname(path)]!
  const packed = isText.test(type) && bytes.length >= minPackedBytes ? await packs(bytes) : new Map()
  return { type, bytes, packed, immutable: /-[\w-]{8}\.\w+$/.test(path) && path.includes(`${sep}assets${sep}`) }
}

async function packs(bytes: Buffer): Promise<PageFile['packed']> {
  const [br, gz] = await Promise.all([
    // The best quality takes seconds for a large file.
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    promisify(gzip)(bytes, { level: 9 }),
  ])
  return new Map([
    ['br', br],
    ['gzip', gz],
  ])
}
