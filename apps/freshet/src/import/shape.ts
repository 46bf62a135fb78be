import { ImportError } from './problem.ts'
import type { Sample } from './open-file.ts'

/** The format of a file. */
export type Shape =
  /** JSON lines with one key each: pin, engagement, question or mark. */
  | { readonly kind: 'recording'; readonly name: string }
  /** JSON lines, one object each; `columns` are the keys in the sample. */
  | { readonly kind: 'json'; readonly name: string; readonly columns: readonly string[] }
  | Table

/** Rows of cells. */
export interface Table {
  readonly kind: 'table'
  /** Name for the user: `CSV`, `MovieLens ratings (::)`, … */
  readonly name: string
  readonly delimiter: string
  readonly quote: string | null
  readonly columns: readonly string[]
  /** Whether the first row contains the column names. */
  readonly header: boolean
  /** The MovieLens file whose columns the format defines; null: another file. */
  readonly known: 'ratings' | 'movies' | null
}

/** Options of the command line about the format. */
export interface ShapeOptions {
  readonly delimiter: string | null
  readonly quote: string | null | undefined
  /** Names for the columns of a file without a header. */
  readonly columns: readonly string[] | null
}

const delimiterNames: Readonly<Record<string, string>> = {
  ',': 'CSV',
  '\t': 'TSV',
  ';': 'CSV with semicolons',
  '|': 'rows with |',
  '::': 'rows with ::',
  '^': 'rows with ^',
  '~': 'rows with ~',
  '\u0001': 'rows with ^A',
}

const ratingColumns = ['userId', 'movieId', 'rating', 'timestamp'] as const
const movieColumns = ['movieId', 'title', 'genres'] as const

/** Detects the format of a file from its beginning. Throws an ImportError if that is not possible. */
export function detectShape(sample: Sample, options: ShapeOptions): Shape {
  const lines = sample.text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  const first = lines[0]
  if (first === undefined) throw new ImportError(sample.file, 'contains only blank lines')
  if (/^\s*\{/.test(first) && options.delimiter === null) return jsonShape(sample, lines)
  if (/^\s*\[/.test(first) && options.delimiter === null)
    throw new ImportError(sample.file, 'is a JSON array; write one object per line (jq -c ".[]" does)')
  return tableShape(sample, lines, options)
}

function jsonShape(sample: Sample, lines: readonly string[]): Shape {
  const columns = new Set<string>()
  let recorded = 0
  let parsed = 0
  for (const line of lines.slice(0, 1000)) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      continue
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    parsed++
    const keys = Object.keys(value)
    const [key = ''] = keys
    if (keys.length === 1 && ['pin', 'engagement', 'question', 'mark'].includes(key)) recorded++
    else for (const each of keys) columns.add(each)
  }
  if (parsed === 0) {
    const hint = lines[0]?.trim() === '{' ? 'its objects span several lines' : 'its first lines are not JSON objects'
    throw new ImportError(sample.file, `${hint}; write one object per line (jq -c . does)`)
  }
  if (recorded > 0 && recorded >= parsed / 2) return { kind: 'recording', name: 'Freshet recording' }
  return { kind: 'json', name: 'JSON lines', columns: [...columns] }
}

function tableShape(sample: Sample, lines: readonly string[], options: ShapeOptions): Table {
  const delimiter = options.delimiter ?? detectDelimiter(lines)
  if (delimiter === null) {
    throw new ImportError(
      sample.file,
      `line 1 is ${shorten(lines[0] ?? '')}: it has one column; give --delimiter (for example ';' or tab), or --columns NAME if there is only one column`,
    )
  }
  const cells = lines.slice(0, 20).map((line) => splitPlainly(line, delimiter))
  const head = cells[0] ?? []
  const base = {
    kind: 'table' as const,
    delimiter,
    name: delimiterNames[delimiter] ?? `rows with ${JSON.stringify(delimiter)}`,
    quote: options.quote === undefined ? (delimiter === '::' ? null : '"') : options.quote,
  }
  if (options.columns !== null) return { ...base, columns: options.columns, header: false, known: null }
  if (isRow(head, ratingColumns)) {
    return { ...base, name: 'MovieLens ratings', columns: head, header: true, known: 'ratings' }
  }
  if (isRow(head, movieColumns)) {
    return { ...base, name: 'MovieLens movies', columns: head, header: true, known: 'movies' }
  }
  if (cells.every((row) => row.length === 4 && row.every((cell) => isNumber(cell))) && delimiter !== ',') {
    const name = delimiter === '::' ? 'MovieLens ratings (.dat)' : 'MovieLens ratings (u.data)'
    return { ...base, name, columns: ratingColumns, header: false, known: 'ratings' }
  }
  if (delimiter === '::' && cells.every((row) => row.length === 3 && /^\d+$/.test(row[0] ?? ''))) {
    return { ...base, name: 'MovieLens movies (.dat)', columns: movieColumns, header: false, known: 'movies' }
  }
  const names = head.map((name) => name.trim())
  if (names.every((name) => name === '' || isNumber(name))) {
    throw new ImportError(
      sample.file,
      `line 1 is ${shorten(lines[0] ?? '')}: it does not name columns; give --columns, for example --columns userId,itemId,rating,timestamp`,
    )
  }
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at)
  if (twice !== undefined) throw new ImportError(sample.file, `names the column ${JSON.stringify(twice)} twice`)
  return { ...base, columns: names, header: true, known: null }
}

/** The delimiter that splits most of the first lines into the same number of cells, more than one. The delimiter with the most cells wins. */
function detectDelimiter(lines: readonly string[]): string | null {
  let best: string | null = null
  let most = 1
  for (const delimiter of Object.keys(delimiterNames)) {
    const counts = lines.slice(0, 20).map((line) => splitPlainly(line, delimiter).length)
    const [first = 1] = counts
    const alike = counts.filter((count) => count === first).length
    if (first > most && alike * 2 > counts.length) {
      best = delimiter
      most = first
    }
  }
  return best
}

/** The cells of a line. Ignores delimiters between quotes. */
function splitPlainly(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < line.length;) {
    if (!quoted && line.startsWith(delimiter, at)) {
      cells.push(cell)
      cell = ''
      at += delimiter.length
      continue
    }
    const character = line[at] ?? ''
    if (character === '"' && delimiter !== '::') quoted = !quoted
    else cell += character
    at++
  }
  cells.push(cell)
  return cells
}

function isRow(cells: readonly string[], names: readonly string[]): boolean {
  return cells.length === names.length && names.every((name, at) => cells[at]?.trim() === name)
}

function isNumber(cell: string): boolean {
  return cell.trim() !== '' && Number.isFinite(Number(cell))
}

function shorten(line: string): string {
  return JSON.stringify(line.length <= 60 ? line : `${line.slice(0, 60)}…`)
}
