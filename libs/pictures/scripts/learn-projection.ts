// Learns the projection of visual embeddings: `npm run -w @freshet/pictures learn-projection`. It takes about half a minute. Run it after a change of
// src/features.ts or of the chosen pictures, and commit the file.
import { writeFileSync } from 'node:fs'
import { chooseAll } from '../src/choose.ts'
import { embeddingWidth, projectionFile } from '../src/embedding.ts'
import { featureCount, featuresOf, featureWidths } from '../src/features.ts'
import { isHeldOut } from '../src/held-out.ts'
import { renderPicture, wholePicture } from '../src/render.ts'
import { eigenvectorsOf } from './eigenvectors.ts'

/** How much each part of the features counts before anything is learned. */
const weights = { layout: 1, colours: 0.3, shape: 2 }
/** How much is added to the scatter within concepts, in shares of its mean: fewer directions that are small by chance. */
const ridge = 0.3

const n = featureCount
const scale = Float64Array.from(
  [
    [featureWidths.layout, weights.layout],
    [featureWidths.colours, weights.colours],
    [featureWidths.shape, weights.shape],
  ].flatMap(([width, weight]) => Array.from({ length: width! }, () => Math.sqrt(weight!))),
)

/** Pictures of one concept in several styles. */
const concepts = new Map<string, Float64Array[]>()
for (const { code, svg } of chooseAll()) {
  if (code === null || isHeldOut(code)) continue
  const features = Float64Array.from(featuresOf(renderPicture(svg, wholePicture))!, (value, at) => value * scale[at]!)
  concepts.set(code, [...(concepts.get(code) ?? []), features])
}
const groups = [...concepts.values()].filter((group) => group.length > 1)
const mean = meanOf(groups.flat())
const within = scatterOf(groups.flatMap((group) => differences(group, meanOf(group))))
const between = scatterOf(groups.map((group) => difference(meanOf(group), mean)))
const trace = Array.from({ length: n }, (_, at) => within[at * n + at]!).reduce((sum, value) => sum + value, 0)
for (let at = 0; at < n; at++) within[at * n + at]! += (ridge * trace) / n

// Linear discriminant analysis: makes the scatter within concepts equal in all directions, then takes those in which concepts differ most.
const inner = eigenvectorsOf(within, n)
const whitening = inner.map(({ value, vector }) => vector.map((part) => part / Math.sqrt(value)))
const seen = product(product(flat(whitening), between), transposed(flat(whitening)))
const outer = eigenvectorsOf(seen, n).slice(0, embeddingWidth)
const rows = product(flat(outer.map(({ vector }) => vector)), flat(whitening))

const into = new Float32Array(n * (embeddingWidth + 1))
for (let at = 0; at < n; at++) into[at] = mean[at]! / scale[at]!
for (let at = 0; at < n * embeddingWidth; at++) into[n + at] = rows[at]! * scale[at % n]!
writeFileSync(projectionFile, into)
process.stdout.write(`learned from ${groups.length} concepts: ${into.byteLength} bytes\n`)

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(n)
  for (const row of rows) for (let at = 0; at < n; at++) sum[at]! += row[at]! / rows.length
  return sum
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, at) => value - b[at]!)
}

function differences(rows: readonly Float64Array[], from: Float64Array): Float64Array[] {
  return rows.map((row) => difference(row, from))
}

function scatterOf(rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(n * n)
  for (const row of rows)
    for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) sum[a * n + b]! += (row[a]! * row[b]!) / rows.length
  return sum
}

function flat(rows: readonly Float64Array[]): Float64Array {
  const into = new Float64Array(rows.length * n)
  rows.forEach((row, at) => into.set(row, at * n))
  return into
}

/** Of a matrix with n columns and a square one. */
function product(a: Float64Array, b: Float64Array): Float64Array {
  const into = new Float64Array(a.length)
  for (let row = 0; row < a.length / n; row++)
    for (let k = 0; k < n; k++) {
      const value = a[row * n + k]!
      for (let column = 0; column < n; column++) into[row * n + column]! += value * b[k * n + column]!
    }
  return into
}

function transposed(a: Float64Array): Float64Array {
  return a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]!)
}
