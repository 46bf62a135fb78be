import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ImportError } from './problem.ts'

/** The text encoding of a file. */
export type Encoding = 'utf8' | 'latin1'

/** The beginning of a file, from which the import detects its format. */
export interface Sample {
  readonly file: string
  /** Size on disk, bytes. */
  readonly fileBytes: number
  readonly gzipped: boolean
  readonly encoding: Encoding
  /** Whole lines, without a byte order mark. */
  readonly text: string
  /** Whether the sample is the whole file. */
  readonly whole: boolean
}

/** Size of the sample, bytes after unzipping. */
const maxSampleBytes = 1 << 20

/** Reads the beginning of a file. Throws an ImportError if the file is not a readable text file. */
export async function sampleFile(file: string, encoding: Encoding | null): Promise<Sample> {
  const info = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  if (info.isDirectory()) {
    const names = await readdir(file)
    const some = names.slice(0, 8).map((name) => `${file.replace(/\/$/, '')}/${name}`)
    throw new ImportError(
      file,
      `is a folder; give files in it${some.length === 0 ? ' (it is empty)' : `, such as ${some.join(' ')}`}`,
    )
  }
  if (info.size === 0) throw new ImportError(file, 'is empty')
  const head = await firstBytes(file)
  const gzipped = head[0] === 0x1f && head[1] === 0x8b
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4)
    throw new ImportError(file, 'is a zip archive (or a spreadsheet); unzip it, or export it as CSV')
  const bytes = await beginning(file, gzipped)
  if (bytes.length === 0) throw new ImportError(file, 'is empty once unzipped')
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new ImportError(file, 'is UTF-16; save it as UTF-8')
  const zero = bytes.indexOf(0)
  if (zero >= 0) throw new ImportError(file, `is not a text file: byte ${zero + 1} is zero`)
  const whole = bytes.length < maxSampleBytes
  const used = encoding ?? detectEncoding(file, bytes, whole)
  const text = Buffer.from(bytes).toString(used)
  const cut = whole ? text : text.slice(0, text.lastIndexOf('\n') + 1)
  if (cut === '') throw new ImportError(file, `has a first line of more than ${maxSampleBytes >> 20} MiB`)
  return {
    file,
    fileBytes: info.size,
    gzipped,
    encoding: used,
    text: cut.charCodeAt(0) === 0xfeff ? cut.slice(1) : cut,
    whole,
  }
}

/** The bytes of a file, unzipped; `onRead` gets the number of bytes read from disk. */
export function openFile(sample: Pick<Sample, 'file' | 'gzipped'>, onRead: (bytes: number) => void): Readable {
  const source = createReadStream(sample.file, { highWaterMark: 1 << 19 })
  source.on('data', (chunk) => {
    onRead(chunk.length)
  })
  if (!sample.gzipped) return source
  const unzipped = createGunzip({ chunkSize: 1 << 18 })
  source.on('error', (error) => unzipped.destroy(error))
  unzipped.on('close', () => source.destroy())
  return source.pipe(unzipped)
}

/** An error of reading a file as an ImportError if the file is the cause; otherwise the error itself. */
export function unreadable(file: string, error: unknown): unknown {
  const { code = '', message } = error as { readonly code?: string; readonly message: string }
  if (code.startsWith('Z_')) return new ImportError(file, `is not gzip, or is cut off: ${message}`, { cause: error })
  if (code === 'ENOENT') return new ImportError(file, 'does not exist', { cause: error })
  if (code === 'EACCES')
    return new ImportError(file, 'cannot be read: this user lacks the permission', { cause: error })
  return error
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function beginning(file: string, gzipped: boolean): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  const stream = openFile({ file, gzipped }, () => undefined)
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes >= maxSampleBytes) break
    }
  } catch (error) {
    throw unreadable(file, error)
  }
  return Buffer.concat(chunks).subarray(0, maxSampleBytes)
}

/** UTF-8, or Latin-1 for the `.dat` files of MovieLens. Throws an ImportError if any other file is not UTF-8. */
function detectEncoding(file: string, bytes: Uint8Array, whole: boolean): Encoding {
  // A character may be cut at the end of the sample.
  for (let cut = 0; cut <= (whole ? 0 : 3); cut++) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytes.length - cut))
      return 'utf8'
    } catch {
      continue
    }
  }
  if (/\.(dat|data|item)(\.gz)?$/.test(file)) return 'latin1'
  throw new ImportError(file, 'is not UTF-8; save it as UTF-8, or give --encoding latin1')
}
