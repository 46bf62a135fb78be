// A thread of `embedAll`.
import { parentPort, workerData } from 'node:worker_threads'
import type { Share } from './embed-all.ts'
import { createEmbedder, embeddingWidth } from './embedding.ts'
import { openPack } from './pack.ts'
import { wholePicture } from './render.ts'

const reportEvery = 50
const { folder, first, of, into } = workerData as Share
const embeddings = new Float32Array(into)
const pack = openPack(folder)
const embed = createEmbedder()
let unreported = 0
for (let at = first; at < pack.pictures.length; at += of) {
  embeddings.set(embed(pack.svg(at), wholePicture), at * embeddingWidth)
  if (++unreported < reportEvery) continue
  parentPort?.postMessage(unreported)
  unreported = 0
}
parentPort?.postMessage(unreported)
pack.close()
