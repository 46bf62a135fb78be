import { ImportError } from './problem.ts'

export const timeUnits = ['s', 'ms', 'us', 'iso'] as const
export type TimeUnit = (typeof timeUnits)[number]

/** Reads the times of a column. */
export interface TimeReader {
  readonly unit: TimeUnit | 'year'
  /** How the unit was determined, for the user. */
  readonly note: string
  /** The time as RFC 3339; null: the cell is not a time of this unit. */
  read(cell: unknown): string | null
}

const factors = { s: 1000, ms: 1, us: 0.001 } as const
const names = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', iso: 'ISO 8601', year: 'years' } as const
/** Numbers that are times since 1980 in one unit are not in another, which tells the units apart. */
const oldestMs = Date.UTC(1980, 0, 1)
const dayMs = 86_400_000

/** The source of a unit: the command line, a known format, or a sample of the cells. */
export type UnitSource =
  | { readonly stated: TimeUnit }
  | { readonly format: TimeUnit; readonly name: string }
  | { readonly sample: readonly unknown[]; readonly nowMs: number }

/** Creates the reader for a column. Throws an ImportError that asks for `--time-unit` unless the sample fits exactly one unit. */
export function timeReader(file: string, column: string, source: UnitSource): TimeReader {
  if ('stated' in source) return createReader(source.stated, `${names[source.stated]}, from --time-unit`)
  if ('format' in source) return createReader(source.format, `${names[source.format]}, as always in ${source.name}`)
  const sample = source.sample.filter((cell) => cell !== undefined && cell !== null && cell !== '')
  const first = sample[0] as string | number | undefined
  if (first === undefined) throw new ImportError(file, `the column ${column} contains no times`)
  const fitting = (['s', 'ms', 'us', 'iso'] as const).filter((unit) => {
    const { read } = createReader(unit, '')
    const good = sample.filter((cell) => {
      const time = read(cell)
      if (time === null) return false
      if (unit === 'iso') return true
      const timeMs = Date.parse(time)
      return timeMs >= oldestMs && timeMs <= source.nowMs + dayMs
    }).length
    // Numbers may fit several units by chance, dates do not: wrong ones among them are refused row by row.
    return good > 0 && good >= (unit === 'iso' ? 0.5 : 0.9) * sample.length
  })
  const [unit] = fitting
  if (unit === undefined || fitting.length > 1) {
    if (column.toLowerCase().includes('year') && sample.every((cell) => /^\d{4}$/.test(String(cell))))
      return createReader('year', 'years')
    throw new ImportError(
      file,
      `the column ${column} contains ${JSON.stringify(first)}, whose unit is unclear; give --time-unit s, ms, us or iso (write dates as 2024-01-31 or 2024-01-31T12:00:00Z, not as 31/01/2024)`,
    )
  }
  const read = createReader(unit, '').read(first)
  const zone =
    unit === 'iso' && !/([zZ]|UTC|[+-]\d\d:?\d\d)$/.test(String(first).trim())
      ? ', read as UTC because they have no zone'
      : ''
  return createReader(unit, `${names[unit]} (${String(first)} is ${read ?? ''})${zone}; --time-unit changes this`)
}

function createReader(unit: TimeUnit | 'year', note: string): TimeReader {
  if (unit === 'iso') return { unit, note, read: (cell) => (typeof cell === 'string' ? normalIso(cell.trim()) : null) }
  if (unit === 'year')
    return { unit, note, read: (cell) => (/^\d{4}$/.test(String(cell)) ? `${String(cell)}-01-01T00:00:00.000Z` : null) }
  const factor = factors[unit]
  return {
    unit,
    note,
    read(cell) {
      if (typeof cell === 'string' ? cell.trim() === '' : typeof cell !== 'number') return null
      const timeMs = Math.round(Number(cell) * factor)
      // RFC 3339 cannot express times beyond the year 9999.
      return timeMs > 0 && timeMs < 253_402_300_800_000 ? new Date(timeMs).toISOString() : null
    },
  }
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?)? ?(Z|z|UTC|[+-]\d\d:?\d\d)?$/

/** ISO 8601 as RFC 3339. Accepts a space instead of T and adds missing seconds, time and zone (UTC); null: the text is not ISO 8601. */
function normalIso(text: string): string | null {
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = isoTime.exec(text) ?? []
  if (date === undefined) return null
  const offset =
    zone === 'UTC' || zone === 'z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  return `${date}T${minutes}${seconds}${fraction}${offset}`
}
