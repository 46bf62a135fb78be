import { z } from 'zod'
import { asCategories } from '../categories.ts'
import type { FixedTransform } from '../definition.ts'
import { elementsOf, numbersColumn } from '../numbers.ts'
import { checkArguments, numbersOf, withElements } from '../types.ts'

const params = z
  .strictObject({
    table: z.record(z.string(), z.union([z.number(), z.array(z.number()).min(1)])),
    default: z.number().nullable().default(null),
  })
  .refine(({ table }) => new Set(Object.values(table).map(sizeOf)).size <= 1, 'table: all entries need the same size')

/** For what is known of each name of a small set. */
export const lookup: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'lookup',
  summary: 'The number or the list of numbers that a table has for a name; `default` (or missing) for other names.',
  formula: 'table[x]',
  example: 'feature weekend = lookup(request.weekday, table: {"sat": 1, "sun": 1}, default: 0)',
  params,
  typeOf: (args, { table }) => checkArguments(args, 'categories') ?? withElements(args[0]!, numbersOf(widthOf(table))),
  evaluate([x], { table, default: otherwise }, output) {
    const { codes, names } = asCategories(elementsOf(x!))
    const width = widthOf(table)
    const to = output.floats(codes.length * width)
    const known = entriesOf(table)
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at]!
      const entry = code < 0 ? undefined : known.get(names[code]!)
      if (typeof entry === 'number') to[at] = entry
      else if (entry !== undefined) to.set(entry, at * width)
      else to.fill(code < 0 ? NaN : (otherwise ?? NaN), at * width, (at + 1) * width)
    }
    const elements = numbersColumn(codes.length, width, to)
    return x!.kind === 'sequences' ? { ...x!, elements } : elements
  },
}

type Table = z.output<typeof params>['table']

function sizeOf(entry: number | readonly number[]): number {
  return typeof entry === 'number' ? 1 : entry.length
}

function widthOf(table: Table): number {
  const [first] = Object.values(table)
  return first === undefined ? 1 : sizeOf(first)
}

const maps = new WeakMap<Table, ReadonlyMap<string, number | readonly number[]>>()

function entriesOf(table: Table): ReadonlyMap<string, number | readonly number[]> {
  const known = maps.get(table) ?? new Map(Object.entries(table))
  maps.set(table, known)
  return known
}
