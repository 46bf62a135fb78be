import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash32 } from '@freshet/domain/hash'
import { embedAll, inThread } from './embed-all.ts'
import { createEmbedder, embeddingWidth } from './embedding.ts'
import { builtFolder, openPack, packKey, type Pack } from './pack.ts'
import type { PictureBox } from './render.ts'
import { shippedEmbeddings } from './shipped.ts'
import { styles, type Style } from './styles.ts'
import { createWords } from './words.ts'

/** Who drew a style, and under which licence. */
export type Attribution = Omit<Style, 'package' | 'isEmoji'>

/** A pin in the form of the HTTP API. */
export type PicturePin = Readonly<Record<string, unknown>> & {
  readonly pinId: string
  readonly topics: readonly [string]
  readonly creatorId: string
}

/** Thousands of drawn pictures with names in 28 locales. */
export interface PictureCatalogue {
  /** Locales with names, in the tags of BCP 47. */
  readonly locales: readonly string[]
  readonly attributions: readonly Attribution[]
  /** The ids of all pictures, style after style. */
  readonly pinIds: readonly string[]
  /** All pictures as pins of the last 30 days before `nowMs`. `imageBase`: what comes before the id of a pin in the address of its picture. */
  pins(nowMs: number, imageBase?: string): readonly PicturePin[]
  /** The picture as an SVG document, for a light ground; null: there is none. */
  svg(pinId: string): string | null
  /** Embeds a part of a picture as the whole ones are; all 0 where nothing is drawn. Throws a RangeError if there is no such pin, or if the box is not within the picture. */
  embed(pinId: string, box: PictureBox): Promise<Float32Array>
  /** The name of a picture; in English where the locale has none. null: there is no such picture. */
  title(pinId: string, locale: string): string | null
  /** The pictures that fit all of some words, best first. */
  search(words: string, locale: string, limit: number): readonly string[]
  /** The name of a topic; its key where it has none. */
  topicName(topic: string, locale: string): string
  close(): void
}

/** How to open the catalogue. */
export interface PictureOptions {
  /** Where drawings and embeddings are kept, in a folder for each version. */
  readonly cacheFolder?: string
  /** Called while pictures are embedded, once, where the embeddings that ship are of other sources or packages. */
  readonly onEmbedded?: (done: number, total: number) => void
}

const defaultCache = join(import.meta.dirname, '../../../node_modules/.cache/freshet/pictures')
const embeddingsFile = 'embeddings.f32'
const defaultImageBase = 'http://localhost:8090/pictures/'

/** Opens the catalogue. The first time it chooses the pictures, which takes a second or two, and keeps them. */
export async function openPictureCatalogue(options: PictureOptions = {}): Promise<PictureCatalogue> {
  const { cacheFolder = defaultCache, onEmbedded } = options
  const folder = await builtFolder(cacheFolder, packKey(), (making) => build(making, onEmbedded))
  const pack = openPack(folder)
  return catalogueOf(pack, readFloats(join(folder, embeddingsFile)))
}

async function build(folder: string, onEmbedded: PictureOptions['onEmbedded']): Promise<void> {
  await inThread(new URL('./pack-worker.ts', import.meta.url), folder)
  const pack = openPack(folder)
  const total = pack.pictures.length
  pack.close()
  let done = 0
  const embeddings =
    shippedEmbeddings(total) ?? (await embedAll(folder, total, (count) => onEmbedded?.((done += count), total)))
  writeFileSync(join(folder, embeddingsFile), embeddings)
}

function catalogueOf(pack: Pack, embeddings: Float32Array): PictureCatalogue {
  const { pictures } = pack
  const numbers = new Map(pictures.map(({ pinId }, at) => [pinId, at]))
  const words = createWords(pictures)
  const embed = createEmbedder()
  return {
    locales: words.locales,
    attributions: styles.map(({ style, name, authors, license, url }) => ({ style, name, authors, license, url })),
    pinIds: pictures.map(({ pinId }) => pinId),
    pins: (nowMs, imageBase = defaultImageBase) =>
      pictures.map(({ pinId, style, topic, title, tags }, at) => ({
        pinId,
        title,
        description: tags.join(', '),
        topics: [topic],
        creatorId: style,
        createdAt: new Date(nowMs - ageMs(pinId)).toISOString(),
        imageUrl: `${imageBase}${pinId}.svg`,
        visualEmbedding: [...embeddings.subarray(at * embeddingWidth, (at + 1) * embeddingWidth)],
      })),
    svg: (pinId) => {
      const at = numbers.get(pinId)
      return at === undefined ? null : pack.svg(at)
    },
    embed: async (pinId, box) => {
      const at = numbers.get(pinId)
      if (at === undefined) throw new RangeError(`there is no picture ${pinId}`)
      checkBox(box)
      return embed(pack.svg(at), box)
    },
    title: (pinId, locale) => {
      const at = numbers.get(pinId)
      return at === undefined ? null : words.title(at, locale)
    },
    search: (text, locale, limit) => words.search(text, locale, limit).map((at) => pictures[at]!.pinId),
    topicName: words.topicName,
    close: () => pack.close(),
  }
}

/** Younger than this are all pins. */
const oldestMs = 30 * 86_400_000

/** Between a minute and 30 days; one in 60 is of the last day. */
function ageMs(pinId: string): number {
  return 60_000 + Math.floor((hash32(pinId, 7) / 2 ** 32) * (oldestMs - 60_000))
}

function checkBox({ x, y, width, height }: PictureBox): void {
  const isWithin = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1.000001 && y + height <= 1.000001
  if (!isWithin)
    throw new RangeError('the box is not within the picture: x, y, width and height are shares from 0 to 1')
}

function readFloats(file: string): Float32Array {
  const bytes = readFileSync(file)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
