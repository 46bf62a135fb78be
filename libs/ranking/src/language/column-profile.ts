/** What a file says about one value of its rows. */
export interface ColumnProfile {
  readonly name: string
  readonly kind: 'number' | 'category' | 'sequence'
  /** Rows that have it. */
  readonly present: number
  /** Different values, counted up to `maxDistinct`. */
  readonly distinct: number
  /** Smallest and largest number; of a sequence, its lengths. */
  readonly min: number
  readonly max: number
}

/** What a file of rows contains. */
export interface RowsProfile {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  readonly labels: readonly {
    readonly name: string
    readonly rows: number
    readonly mean: number
    readonly isBinary: boolean
  }[]
}

/** Above this number of different values, a profile says "at least". */
export const maxDistinct = 100_000

/** A row of training data: labels, and values by name. */
export interface ProfiledRow {
  readonly labels: Readonly<Record<string, number>>
  readonly values: Readonly<Record<string, unknown>>
}

/** Counts rows, one at a time. */
export function createRowsProfiler(): { add(row: ProfiledRow): void; profile(): RowsProfile } {
  const columns = new Map<
    string,
    { kinds: Set<ColumnProfile['kind']>; present: number; seen: Set<unknown>; min: number; max: number }
  >()
  const labels = new Map<string, { rows: number; sum: number; isBinary: boolean }>()
  let rows = 0
  return {
    add(row) {
      rows++
      for (const [name, value] of Object.entries(row.values)) {
        if (value === null || value === undefined) continue
        const column = columns.get(name) ?? {
          kinds: new Set(),
          present: 0,
          seen: new Set(),
          min: Infinity,
          max: -Infinity,
        }
        columns.set(name, column)
        const size = typeof value === 'number' ? value : Array.isArray(value) ? value.length : 0
        column.kinds.add(typeof value === 'number' ? 'number' : Array.isArray(value) ? 'sequence' : 'category')
        column.present++
        column.min = Math.min(column.min, size)
        column.max = Math.max(column.max, size)
        for (const element of Array.isArray(value) ? (value as unknown[]) : [value])
          if (column.seen.size < maxDistinct) column.seen.add(element)
      }
      for (const [name, value] of Object.entries(row.labels)) {
        const label = labels.get(name) ?? { rows: 0, sum: 0, isBinary: true }
        labels.set(name, {
          rows: label.rows + 1,
          sum: label.sum + value,
          isBinary: label.isBinary && (value === 0 || value === 1),
        })
      }
    },
    profile: () => ({
      rows,
      columns: [...columns].map(([name, { kinds, present, seen, min, max }]) => {
        const kind = kinds.has('sequence') ? 'sequence' : kinds.has('category') ? 'category' : 'number'
        return { name, kind, present, distinct: seen.size, min, max }
      }),
      labels: [...labels].map(([name, { rows: known, sum, isBinary }]) => ({
        name,
        rows: known,
        mean: sum / known,
        isBinary,
      })),
    }),
  }
}
