import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { digineticaLines, movietweetingsLines, writeRecording } from './convert.ts'

/** Where recordings of data sets are kept. */
export const recordingsFolder = join(import.meta.dirname, '../../node_modules/.cache/freshet/recordings')

/** The recording of the data set in a folder; made on first use. */
export async function recordingOf(set: 'diginetica' | 'movietweetings', folder: string): Promise<string> {
  const file = join(recordingsFolder, `${set}.jsonl.gz`)
  if (existsSync(file)) return file
  mkdirSync(recordingsFolder, { recursive: true })
  const periods = Array.from({ length: 17 }, (_, at) => at)
  const lines = set === 'diginetica' ? digineticaLines(folder, periods) : movietweetingsLines(folder)
  console.log(`${set}: ${await writeRecording(lines, file)} lines`)
  return file
}
