import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { pipeline } from 'node:stream'
import type { TransformCatalogue } from '../transforms/catalogue.ts'
import type { RowTable } from './column.ts'
import type { Plan } from './plan.ts'
import { RowReader, type RowReaderOptions } from './row-reader.ts'
import { RowsError } from './rows-error.ts'
import type { RowsReport } from './rows-report.ts'

/** A longer line is not a row: the file is something else, and must not be collected in memory. */
const mostLineChars = 16_777_216

/** What is read, and its limits. */
export interface ReadRowsOptions extends RowReaderOptions {
  /** Share of the rows that may be left out before the file counts as corrupt. */
  readonly maxLeftOut?: number
  /** Lines after which reading ends. Default: none. */
  readonly mostLines?: number
}

/**
 * Reads the rows of a JSON Lines file (`.gz`: compressed) into the columns of a plan's inputs and labels. Memory holds the
 * columns and one piece of the file. Throws a RowsError that names the file, the line and the reason.
 */
export async function readRows(
  plan: Plan,
  catalogue: TransformCatalogue,
  file: string,
  { maxLeftOut = 0.05, mostLines = Infinity, ...options }: ReadRowsOptions = {},
): Promise<{ readonly table: RowTable; readonly report: RowsReport }> {
  const reader = new RowReader(plan, catalogue, file, options)
  let line = 0
  for await (const text of linesOf(file)) {
    if (line === mostLines) break
    reader.add(text, ++line)
  }
  return reader.finish(maxLeftOut)
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let line = 0
  let rest = ''
  try {
    for await (const piece of piecesOf(file)) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop()!
      for (const text of lines) {
        line++
        yield text
      }
      if (rest.length > mostLineChars)
        throw new RowsError(
          'ROWS_UNREADABLE',
          `${file}: line ${line + 1} is longer than 16 MB; expected one JSON object a line`,
        )
    }
  } catch (error) {
    if (error instanceof RowsError) throw error
    const message = `${file} cannot be read after line ${line} (${(error as Error).message})`
    throw new RowsError('ROWS_UNREADABLE', message, { cause: error })
  }
  yield rest
}

function piecesOf(file: string): AsyncIterable<string> {
  const bytes = createReadStream(file)
  if (!file.endsWith('.gz')) return bytes.setEncoding('utf8') as AsyncIterable<string>
  // The error of either stream ends the iteration over the last one.
  const text = pipeline(bytes, createGunzip(), () => undefined)
  return text.setEncoding('utf8') as AsyncIterable<string>
}
