import { parseTime } from '@freshet/contracts/json/time'
import type { PlanOptions } from './plan.ts'
import { ImportError } from './problem.ts'
import { parseMap } from './rules.ts'
import { timeUnits, type TimeUnit } from './times.ts'

/** The options about reading files, as text. */
export interface ReadingArguments {
  readonly as?: string
  readonly map?: readonly string[]
  readonly timeUnit?: string
  readonly occurredAt?: string
  readonly delimiter?: string
  readonly quote?: string
  readonly columns?: string
  readonly listSeparator?: string
  readonly encoding?: string
}

/** Checks the options about reading files. Throws an ImportError. */
export function parseOptions(given: ReadingArguments, nowMs: number): PlanOptions {
  const { as, timeUnit, occurredAt, delimiter, quote, encoding } = given
  if (as !== undefined && as !== 'engagements' && as !== 'pins')
    throw new ImportError('', `--as is ${as}; give engagements or pins`)
  if (timeUnit !== undefined && !timeUnits.includes(timeUnit as TimeUnit))
    throw new ImportError('', `--time-unit is ${timeUnit}; give ${timeUnits.join(', ')}`)
  if (occurredAt !== undefined && Number.isNaN(parseTime(occurredAt)))
    throw new ImportError('', `--occurred-at is ${occurredAt}; give a time such as 2026-01-31T12:00:00.000Z`)
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'latin1')
    throw new ImportError('', `--encoding is ${encoding}; give utf8 or latin1`)
  if (quote !== undefined && quote !== 'none' && quote.length !== 1)
    throw new ImportError('', `--quote is ${quote}; give one character, or none`)
  return {
    as: as ?? null,
    map: parseMap(given.map ?? []),
    timeUnit: (timeUnit as TimeUnit | undefined) ?? null,
    occurredAt: occurredAt ?? null,
    delimiter: delimiter === undefined ? null : delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter,
    quote: quote === undefined ? undefined : quote === 'none' ? null : quote,
    columns: given.columns === undefined ? null : given.columns.split(',').map((name) => name.trim()),
    listSeparator: given.listSeparator ?? null,
    encoding: encoding ?? null,
    nowMs,
  }
}
