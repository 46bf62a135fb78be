/** One measured figure, beside the figure of the reference that ran alternating with it, where there is one. */
export interface BenchRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with; empty when with nothing. */
  readonly reference: string
  readonly referenceValue: number | null
  /** value ÷ referenceValue. */
  readonly ratio: number | null
  /** What is aimed at, as in the issue; empty when nothing is. */
  readonly aim: string
  /** Data, sizes and settings that the figure holds for. */
  readonly note: string
}

/** A row without a reference. */
export function plainRow(name: string, value: number, unit: string, aim: string, note: string): BenchRow {
  return { name, value, unit, reference: '', referenceValue: null, ratio: null, aim, note }
}

/** A row beside its reference, in the same unit. */
export function comparedRow(
  row: Omit<BenchRow, 'ratio' | 'referenceValue'> & { readonly referenceValue: number },
): BenchRow {
  return { ...row, ratio: row.value / row.referenceValue }
}

/** The value below which `share` of the samples lie (nearest rank); NaN for none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

/** Rows as lines for a terminal. */
export function formatRows(rows: readonly BenchRow[]): string {
  return rows
    .map((row) => {
      const against =
        row.referenceValue === null
          ? ''
          : ` | ${row.reference} ${round(row.referenceValue)} ${row.unit}, ratio ${round(row.ratio ?? NaN)}`
      const aim = row.aim === '' ? '' : ` | aim ${row.aim}`
      return `${row.name}: ${round(row.value)} ${row.unit}${against}${aim} | ${row.note}`
    })
    .join('\n')
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
}
