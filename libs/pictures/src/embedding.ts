import { readFileSync } from 'node:fs'
import { featureCount, featuresOf } from './features.ts'
import { renderPicture, type PictureBox } from './render.ts'

/** The width of a visual embedding. */
export const embeddingWidth = 96

/** The projection that `scripts/learn-projection.ts` wrote: the mean of the features, then a row for each number of an embedding. */
export const projectionFile = new URL('../assets/projection.bin', import.meta.url)

/** Embeds a part of a picture: equal arguments give equal numbers, all 0 where nothing is drawn. */
export type Embedder = (svg: string, box: PictureBox) => Float32Array

/** Reads the projection and returns the function that embeds. Takes about 0.7 ms a picture. */
export function createEmbedder(): Embedder {
  const bytes = readFileSync(projectionFile)
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  const [mean, rows] = [numbers.subarray(0, featureCount), numbers.subarray(featureCount)]
  return (svg, box) => {
    const features = featuresOf(renderPicture(svg, box))
    if (features === null) return new Float32Array(embeddingWidth)
    for (let at = 0; at < featureCount; at++) features[at]! -= mean[at]!
    return projected(features, rows)
  }
}

/** The steps of the numbers of an embedding: they fit into a byte each, and the whole file of them into what a repository can hold. */
export const embeddingSteps = 200

/** The features times the projection, with length 1, in steps of 1/200. */
function projected(features: Float32Array, rows: Float32Array): Float32Array {
  const into = new Float32Array(embeddingWidth)
  for (let row = 0; row < embeddingWidth; row++) {
    let sum = 0
    for (let at = 0; at < featureCount; at++) sum += rows[row * featureCount + at]! * features[at]!
    into[row] = sum
  }
  const length = Math.hypot(...into)
  if (length > 0) for (let row = 0; row < embeddingWidth; row++) into[row] = inSteps(into[row]! / length)
  return into
}

function inSteps(value: number): number {
  return Math.max(-128, Math.min(127, Math.round(value * embeddingSteps))) / embeddingSteps
}
