import { createInterface } from 'node:readline'
import { basename } from 'node:path'
import { createRowsProfiler, type ProfiledRow } from '@freshet/ranking/language/column-profile'
import { firstSpecOf } from '@freshet/ranking/language/first-spec'
import { refuse } from '../arguments.ts'
import { openFile, sampleFile } from '../import/open-file.ts'
import type { Terminal } from '../operations/terminal.ts'
import { createRecordingProfiler } from './recording-profile.ts'
import { servingSpecOf } from './serving-spec.ts'

/** `freshet spec init`: reads a recording or rows, and prints a first spec with the reason for each line. */
export async function runSpecInit(file: string, terminal: Terminal): Promise<void> {
  const sample = await sampleFile(file, null)
  const lines = createInterface({ input: openFile(sample, () => undefined), crlfDelay: Infinity })
  const rows = createRowsProfiler()
  const recording = createRecordingProfiler()
  let kind: 'rows' | 'recording' | null = null
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const value = parseLine(file, number, line)
    kind ??= isRow(value) ? 'rows' : 'recording'
    if (kind === 'recording') recording.add(value)
    else if (isRow(value)) rows.add(value)
    else refuse(`${file}:${number}: this line has no labels and values; a file holds rows or a recording, not both`)
  }
  const name = basename(file)
    .replace(/\..*$/, '')
    .replaceAll(/\W/g, '_')
    .replace(/^(?=\d)/, '_')
  if (kind === null) refuse(`${file} is empty; give a recording, or rows with labels and values`)
  terminal.write(
    kind === 'rows'
      ? firstSpecOf(rows.profile(), name, basename(file))
      : servingSpecOf(recording.profile(), name, basename(file)),
  )
}

function isRow(value: object): value is ProfiledRow {
  return 'labels' in value && 'values' in value
}

function parseLine(file: string, number: number, line: string): object {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return refuse(`${file}:${number} is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null) return refuse(`${file}:${number} is not a JSON object`)
  return value
}
