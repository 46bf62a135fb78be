import type { FigureTable } from '../harness/figures.ts'
import type { BenchRow } from './row.ts'

/** Whether a row's aim is reached; null: it has none that a number decides. */
export function aimReached(row: BenchRow): boolean | null {
  const match = /^(ratio )?([≤≥<>]) ([\d.]+)(?: \([^)]*\))?$/.exec(row.aim)
  if (match === null) return null
  const [, ofRatio, relation, text] = match
  const value = ofRatio === undefined ? row.value : (row.ratio ?? NaN)
  const aim = Number(text)
  if (relation === '≤') return value <= aim
  if (relation === '≥') return value >= aim
  return relation === '<' ? value < aim : value > aim
}

/** Rows as one aligned table for a terminal; notes stand below it, each once, by number. */
export function formatTable(rows: readonly BenchRow[]): string {
  const notes = [...new Set(rows.map(({ note }) => note))].filter((note) => note !== '')
  const lines = [
    ['', 'value', 'unit', 'reference', 'its value', 'ratio', 'aim', '', 'note'],
    ...rows.map((row) => [
      row.name,
      rounded(row.value),
      row.unit,
      row.reference,
      row.referenceValue === null ? '' : rounded(row.referenceValue),
      row.ratio === null ? '' : rounded(row.ratio),
      row.aim,
      verdict(row),
      row.note === '' ? '' : `[${notes.indexOf(row.note) + 1}]`,
    ]),
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const table = lines.map((line) =>
    line
      .map((cell, column) =>
        [1, 4, 5].includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
  return [...table, '', ...notes.map((note, i) => `[${i + 1}] ${note}`)].join('\n')
}

/** Rows as figures of a file, those of one name told apart by their notes. */
export function figuresOfRows(rows: readonly BenchRow[]): Omit<FigureTable, 'problems'> {
  const isDoubled = (row: BenchRow): boolean => rows.filter(({ name }) => name === row.name).length > 1
  const withUnit = (value: number | null, unit: string): string =>
    value === null ? '' : `${rounded(value)} ${unit}`.trim()
  return {
    columns: ['reached', 'reference', 'ratio', 'aim', 'note'],
    rows: rows.map((row) => ({
      key: isDoubled(row) ? `${row.name} (${row.note})` : row.name,
      cells: [
        withUnit(row.value, row.unit),
        row.referenceValue === null ? '' : `${withUnit(row.referenceValue, row.unit)}, ${row.reference}`,
        row.ratio === null ? '' : rounded(row.ratio),
        [row.aim, aimReached(row) === false ? '(below)' : ''].filter((word) => word !== '').join(' '),
        row.note,
      ],
    })),
  }
}

function verdict(row: BenchRow): string {
  const reached = aimReached(row)
  if (reached === null) return ''
  return reached ? 'reached' : 'BELOW THE AIM'
}

function rounded(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1000) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}
