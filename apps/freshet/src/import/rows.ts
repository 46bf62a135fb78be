import { createInterface } from 'node:readline'
import { parse, CsvError } from 'csv-parse'
import { openFile, unreadable, type Sample } from './open-file.ts'
import { ImportError } from './problem.ts'
import type { Shape, Table } from './shape.ts'

/** A row of a file: its cells in the order of the columns, or its problem. Cells of JSON lines are JSON values; undefined: absent. */
export type Row =
  | { readonly line: number; readonly cells: readonly unknown[]; readonly extra?: readonly string[] }
  | { readonly line: number; readonly problem: string }

/** A row longer than this must have a quote that was never closed. */
const maxRowBytes = 1 << 20
/** A longer line would have to be held as one text, and a few gzipped kilobytes can unpack to a line that no memory holds. */
const maxLineCharacters = 16 << 20

/** The rows of a file. Throws an ImportError if the rest of the file cannot be read; earlier rows remain valid. */
export async function* readRows(
  sample: Sample,
  shape: Exclude<Shape, { kind: 'recording' }>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Row> {
  if (shape.kind === 'table') yield* tableRows(sample, shape, onRead)
  else yield* jsonRows(sample, shape.columns, onRead)
}

async function* tableRows(sample: Sample, table: Table, onRead: (bytes: number) => void): AsyncGenerator<Row> {
  const width = table.columns.length
  let lastLine = 0
  let headerSeen = false
  const rowOf = (cells: readonly string[], lines: number): Row | null => {
    lastLine = lines
    const line = lines - lineBreaksIn(cells)
    if (table.header && !headerSeen) {
      headerSeen = true
      if (cells.some((cell, at) => cell.trim() !== table.columns[at])) {
        const text = 'the header differs from the detected one; give --delimiter'
        throw new ImportError(`${sample.file}:${line}`, text)
      }
      return null
    }
    if (cells.length === width) return { line, cells }
    if (cells.every((cell) => cell.trim() === '')) return null
    return { line, problem: `has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}; there are ${width}` }
  }
  const parser = parse({
    delimiter: table.delimiter,
    quote: table.quote,
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    encoding: sample.encoding,
    // The types of csv-parse allow only lists of strings here, but it passes any value on.
    on_record: (cells: string[], { lines }) => rowOf(cells, lines) as unknown as string[] | null,
  })
  const source = openFile(sample, onRead)
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const row of parser) yield row as Row
  } catch (error) {
    if (!(error instanceof CsvError)) throw unreadable(sample.file, error)
    const place = `${sample.file}:${lastLine + 1}`
    if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE') {
      throw new ImportError(
        place,
        'a quote opens after this line and never closes; close it, or give --quote none if quotes are plain characters',
        { cause: error },
      )
    }
    throw new ImportError(place, error.message, { cause: error })
  } finally {
    source.destroy()
  }
}

async function* jsonRows(
  sample: Sample,
  columns: readonly string[],
  onRead: (bytes: number) => void,
): AsyncGenerator<Row> {
  const known = new Set(columns)
  for await (const { line, text } of readLines(sample, onRead)) {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      yield { line, problem: `is not JSON: ${(error as Error).message}` }
      continue
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield { line, problem: 'is not a JSON object' }
      continue
    }
    const fields = value as Readonly<Record<string, unknown>>
    const cells = columns.map((column) => (Object.hasOwn(fields, column) ? fields[column] : undefined))
    const extra = Object.keys(fields).filter((field) => !known.has(field))
    yield extra.length === 0 ? { line, cells } : { line, cells, extra }
  }
}

/** The lines of a file that are not blank, with their numbers from 1. */
export async function* readLines(
  sample: Sample,
  onRead: (bytes: number) => void,
): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  const input = openFile(sample, onRead)
  input.setEncoding(sample.encoding)
  let line = 0
  let failure: unknown = null
  // Before the one of the lines, so that they never see what is too much.
  let unended = 0
  input.on('data', (text: string) => {
    const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'))
    unended = end < 0 ? unended + text.length : text.length - 1 - end
    if (unended > maxLineCharacters)
      input.destroy(new ImportError(sample.file, `has a line of more than ${maxLineCharacters >> 20} MiB`))
  })
  const lines = createInterface({ input, crlfDelay: Infinity })
  input.on('error', (error) => {
    failure = error
    lines.close()
  })
  for await (const text of lines) {
    line++
    const plain = line === 1 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    if (plain.trim() !== '') yield { line, text: plain }
  }
  if (failure !== null) throw unreadable(sample.file, failure)
}

function lineBreaksIn(cells: readonly string[]): number {
  let breaks = 0
  for (const cell of cells) {
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) breaks++
  }
  return breaks
}
