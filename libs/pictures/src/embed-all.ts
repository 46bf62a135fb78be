import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { embeddingWidth } from './embedding.ts'

/** What a thread embeds: every `of`-th picture of a pack, from `first` on. */
export interface Share {
  readonly folder: string
  readonly first: number
  readonly of: number
  readonly into: SharedArrayBuffer
}

/** Embeds all pictures of a pack, in two threads where there are two cores. Calls `onDone` with how many more are done. */
export async function embedAll(
  folder: string,
  pictures: number,
  onDone: (count: number) => void,
): Promise<Float32Array> {
  const into = new SharedArrayBuffer(4 * pictures * embeddingWidth)
  const threads = Math.min(2, availableParallelism())
  await Promise.all(
    Array.from({ length: threads }, (_, first) => embedShare({ folder, first, of: threads, into }, onDone)),
  )
  return new Float32Array(into)
}

function embedShare(share: Share, onDone: (count: number) => void): Promise<void> {
  return inThread(new URL('./embedding-worker.ts', import.meta.url), share, onDone)
}

/** Runs a file in a thread, whose memory is free again when it ends. */
export function inThread(
  file: URL,
  workerData: unknown,
  onMessage: (count: number) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData })
    worker.on('message', onMessage)
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with exit code ${code}`))))
  })
}
