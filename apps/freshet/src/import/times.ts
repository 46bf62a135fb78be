import { ImportError } from './problem.ts'

export const timeUnits = ['s', 'ms', 'us', 'iso'] as const
export type TimeUnit = (typeof timeUnits)[number]

/** How a column's times are read. */
export interface TimeReader {
  readonly unit: TimeUnit | 'year'
  /** How the unit is known: for people. */
  readonly note: string
  /** RFC 3339; null: the cell is no time of this unit. */
  read(cell: unknown): string | null
}

const factors = { s: 1000, ms: 1, us: 0.001 } as const
const names = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', iso: 'ISO 8601', year: 'years' } as const
/** Plausible times lie between these bounds. A number lies between them in one unit only. */
const oldestMs = Date.UTC(1980, 0, 1)
const dayMs = 86_400_000

/** How a unit was found: stated on the command line, part of a known format, or told from the sample. */
export type UnitSource =
  | { readonly stated: TimeUnit }
  | { readonly format: TimeUnit; readonly name: string }
  | { readonly sample: readonly unknown[]; readonly nowMs: number }

/** A reader of a column's times. Throws an ImportError that asks for `--time-unit` where the sample fits no unit, or not one alone. */
export function timeReader(file: string, column: string, source: UnitSource): TimeReader {
  if ('stated' in source) return readerOf(source.stated, `${names[source.stated]}, as --time-unit says`)
  if ('format' in source) return readerOf(source.format, `${names[source.format]}, as ${source.name} has them`)
  const sample = source.sample.filter((cell) => cell !== undefined && cell !== null && cell !== '')
  const first = sample[0] as string | number | undefined
  if (first === undefined) throw new ImportError(file, `the column ${column} holds no times`)
  const fitting = (['s', 'ms', 'us', 'iso'] as const).filter((unit) => {
    const { read } = readerOf(unit, '')
    const good = sample.filter((cell) => {
      const time = read(cell)
      if (time === null) return false
      if (unit === 'iso') return true
      const timeMs = Date.parse(time)
      return timeMs >= oldestMs && timeMs <= source.nowMs + dayMs
    }).length
    return good > 0 && good >= 0.9 * sample.length
  })
  const [unit] = fitting
  if (unit === undefined || fitting.length > 1) {
    if (column.toLowerCase().includes('year') && sample.every((cell) => /^\d{4}$/.test(String(cell))))
      return readerOf('year', 'years')
    throw new ImportError(
      file,
      `the column ${column} holds ${JSON.stringify(first)}, and it cannot be told in which unit that is; say --time-unit s, ms, us or iso (dates are read as 2024-01-31 or 2024-01-31T12:00:00Z, not as 31/01/2024)`,
    )
  }
  const read = readerOf(unit, '').read(first)
  const zone =
    unit === 'iso' && !/([zZ]|UTC|[+-]\d\d:?\d\d)$/.test(String(first).trim())
      ? ', taken as UTC: they name no zone'
      : ''
  return readerOf(unit, `${names[unit]} (${String(first)} is ${read ?? ''})${zone}; --time-unit says otherwise`)
}

function readerOf(unit: TimeUnit | 'year', note: string): TimeReader {
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
      // Beyond the year 9999 no RFC 3339 time can be written.
      return timeMs > 0 && timeMs < 253_402_300_800_000 ? new Date(timeMs).toISOString() : null
    },
  }
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?)? ?(Z|z|UTC|[+-]\d\d:?\d\d)?$/

/** ISO 8601 as RFC 3339: a blank for the T, no seconds, no time, no zone (UTC) are mended; null: it is another text. */
function normalIso(text: string): string | null {
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = isoTime.exec(text) ?? []
  if (date === undefined) return null
  const offset =
    zone === 'UTC' || zone === 'z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  return `${date}T${minutes}${seconds}${fraction}${offset}`
}
