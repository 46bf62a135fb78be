import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { embeddingSteps, embeddingWidth, projectionFile } from './embedding.ts'
import { packageVersions } from './styles.ts'

/** The embeddings that `npm run -w @freshet/pictures embed` wrote: a key, then a signed byte for each number. */
const shippedFile = new URL('../assets/embeddings.bin', import.meta.url)

/** What decides which pictures there are, and how each is embedded. */
const sources = [
  'choose.ts',
  'emoji.ts',
  'embedding.ts',
  'features.ts',
  'fold.ts',
  'guess-topic.ts',
  'render.ts',
  'styles.ts',
]
const keyBytes = 16

/** Names the packages, sources and projection from which embeddings follow. */
function embeddingKey(): Buffer {
  const hash = createHash('sha256').update(packageVersions())
  for (const source of sources) hash.update(readFileSync(new URL(source, import.meta.url)))
  return hash.update(readFileSync(projectionFile)).digest().subarray(0, keyBytes)
}

/** The embeddings that ship, row after row; null: they are of other packages or sources than these, so they must be computed. */
export function shippedEmbeddings(pictures: number): Float32Array | null {
  if (!existsSync(shippedFile)) return null
  const bytes = readFileSync(shippedFile)
  if (bytes.length !== keyBytes + pictures * embeddingWidth) return null
  if (!bytes.subarray(0, keyBytes).equals(embeddingKey())) return null
  const steps = new Int8Array(bytes.buffer, bytes.byteOffset + keyBytes, pictures * embeddingWidth)
  return Float32Array.from(steps, (step) => step / embeddingSteps)
}

/** Writes the file that ships. */
export function shipEmbeddings(embeddings: Float32Array): void {
  const steps = Int8Array.from(embeddings, (value) => Math.round(value * embeddingSteps))
  writeFileSync(shippedFile, Buffer.concat([embeddingKey(), Buffer.from(steps.buffer)]))
}
