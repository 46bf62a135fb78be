import type { Problems } from './problems.ts'

/** One `key=value` of the text, with the number of its line from 1. */
export interface Field {
  readonly text: string
  readonly line: number
}

/** The lines of the header, or of one tree. */
export interface Section {
  /** The line with which the section begins. */
  readonly line: number
  readonly fields: ReadonlyMap<string, Field>
  /** Bytes of the section as `tree_sizes` counts them, with both empty lines at its end. */
  readonly bytes: number
}

export interface Sections {
  readonly header: Section
  readonly trees: readonly Section[]
  /** `pandas_categorical` at the end of the file, if it is there. */
  readonly pandasCategorical: Field | undefined
}

/** Splits a LightGBM text model into its header and trees. Feature importances and training parameters are skipped. */
export function splitSections(text: string, problems: Problems): Sections {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  if (lines[0] !== 'tree') problems.add(1, `the file begins with "${(lines[0] ?? '').slice(0, 40)}"; expected "tree"`)
  const end = lines.indexOf('end of trees')
  if (end < 0) problems.add(lines.length, '"end of trees" is missing: the file is cut off; copy it again')
  const last = end < 0 ? lines.length : end
  const starts = lines.flatMap((line, at) => (at < last && line.startsWith('Tree=') ? [at] : []))
  const header = readSection(lines, 1, starts[0] ?? last, problems)
  const trees = starts.map((start, tree) => {
    if (lines[start] !== `Tree=${tree}`) problems.add(start + 1, `found ${lines[start]}; expected Tree=${tree}`)
    return readSection(lines, start, starts[tree + 1] ?? last, problems)
  })
  const pandas = lines.findLastIndex((line) => line.startsWith('pandas_categorical:'))
  return {
    header,
    trees,
    pandasCategorical:
      pandas < 0 ? undefined : { line: pandas + 1, text: lines[pandas]!.slice('pandas_categorical:'.length) },
  }
}

function readSection(lines: readonly string[], from: number, to: number, problems: Problems): Section {
  const fields = new Map<string, Field>()
  let bytes = 0
  for (let at = from; at < to; at++) {
    const line = lines[at]!
    bytes += Buffer.byteLength(line) + 1
    if (line === '' || line.startsWith('Tree=')) continue
    const equals = line.indexOf('=')
    const key = equals < 0 ? line : line.slice(0, equals)
    if (fields.has(key)) problems.add(at + 1, `${key} is given twice; first on line ${fields.get(key)!.line}`)
    else fields.set(key, { text: equals < 0 ? '' : line.slice(equals + 1), line: at + 1 })
  }
  return { line: from + 1, fields, bytes }
}

/** Reports every field that is not in `known`. */
export function refuseUnknown(section: Section, known: readonly string[], where: string, problems: Problems): void {
  for (const [key, { line }] of section.fields)
    if (!known.includes(key))
      problems.add(line, `${key.slice(0, 60)} is not a known field of ${where}; this version cannot use it`)
}
