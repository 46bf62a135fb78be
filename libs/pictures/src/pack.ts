import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { chooseAll, type Picture } from './choose.ts'
import { packageVersions } from './styles.ts'

/** The chosen pictures on disk: a list in memory, drawings and embeddings in files. */
export interface Pack {
  readonly folder: string
  readonly pictures: readonly Picture[]
  /** The drawing of a picture by its number, read from the file. */
  svg(at: number): string
  close(): void
}

interface PackIndex {
  readonly pictures: readonly Picture[]
  /** Where each drawing ends in the file, in bytes. */
  readonly ends: readonly number[]
}

const [indexFile, drawingsFile] = ['pictures.json', 'drawings.svgs']

/** Names what the files of the catalogue depend on: the packages, the sources of this room and its assets. */
export function packKey(): string {
  const hash = createHash('sha256').update(packageVersions())
  for (const folder of [import.meta.dirname, join(import.meta.dirname, '../assets')])
    for (const file of readdirSync(folder).sort())
      if (!file.includes('.test.')) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 16)
}

/** Writes the chosen pictures into a folder. Takes about a second. */
export function writePack(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const pictures: Picture[] = []
  const ends: number[] = []
  const drawings: Buffer[] = []
  let end = 0
  for (const { svg, ...picture } of chooseAll()) {
    const drawing = Buffer.from(svg)
    drawings.push(drawing)
    ends.push((end += drawing.length))
    pictures.push(picture)
  }
  writeFileSync(join(folder, drawingsFile), Buffer.concat(drawings))
  writeFileSync(join(folder, indexFile), JSON.stringify({ pictures, ends } satisfies PackIndex))
}

/** Opens a folder that `writePack` wrote. */
export function openPack(folder: string): Pack {
  const { pictures, ends } = JSON.parse(readFileSync(join(folder, indexFile), 'utf8')) as PackIndex
  const file = openSync(join(folder, drawingsFile), 'r')
  return {
    folder,
    pictures,
    svg(at) {
      const from = at === 0 ? 0 : ends[at - 1]!
      const bytes = Buffer.alloc(ends[at]! - from)
      readSync(file, bytes, 0, bytes.length, from)
      return bytes.toString('utf8')
    },
    close: () => closeSync(file),
  }
}

/**
 * The folder `key` of `root`, made by `build` in a folder of its own and moved into place when it is whole, so that two processes can make it
 * at once. Removes the folders of other keys, which nothing will read again.
 */
export async function builtFolder(
  root: string,
  key: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(root, key)
  if (existsSync(folder)) return folder
  const making = `${folder}.${process.pid}.making`
  rmSync(making, { recursive: true, force: true })
  await build(making)
  const others = readdirSync(root).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== key)
  try {
    renameSync(making, folder)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  for (const name of others) rmSync(join(root, name), { recursive: true, force: true })
  return folder
}
