import type { Filter, RowVerdict, Slate, StageCall } from '@freshet/pipeline/stage'
import { keep } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { ServedSet } from '../served-set.ts'

/** Why a row is not on the page. */
export const pageReasons = ['below-page', 'on-page-before', 'taken-meanwhile', 'refused-meanwhile'] as const

/** The rows of a page, and why each other row is not among them: an index into `pageReasons`. */
export interface Choice {
  readonly rows: Int32Array
  readonly leftFor: (row: number) => number
}

type RowTest = (row: number) => boolean

/** Chooses the first `pageSize` rows that are neither taken nor refused. */
export function chooseRows(
  rows: Int32Array,
  { pageSize, taken, refused }: { readonly pageSize: number; readonly taken: RowTest; readonly refused: RowTest },
): Choice {
  const chosen = new Int32Array(Math.min(pageSize, rows.length))
  const left = new Map<number, number>()
  let count = 0
  for (let i = 0; i < rows.length && count < chosen.length; i++) {
    const row = rows[i] as number
    if (taken(row)) left.set(row, pageReasons.indexOf('taken-meanwhile'))
    else if (refused(row)) left.set(row, pageReasons.indexOf('refused-meanwhile'))
    else chosen[count++] = row
  }
  return { rows: chosen.subarray(0, count), leftFor: (row) => left.get(row) ?? 0 }
}

/** Whether a row was served since the request read `known`. A repeat is taken only if it was served again since. */
export function takenIn(
  sets: readonly (ServedSet | null)[],
  known: ServedSet,
  { keys, shownBefore }: CandidateColumns,
): RowTest {
  const newer = sets.filter((set) => set !== null && set.size > 0) as readonly ServedSet[]
  if (newer.length === 0) return () => false
  return (row) => {
    const [high, low] = [keys.high[row] as number, keys.low[row] as number]
    return shownBefore[row] === 1
      ? newer.some((set) => set.atSeconds(high, low) > known.atSeconds(high, low))
      : newer.some((set) => set.has(high, low))
  }
}

/** Whether a filter removes a row now. Throws what a filter throws. */
export function refusedNow<Context>(
  filters: readonly Filter<Context, CandidateColumns>[],
  context: Context,
  { columns, rows }: Slate<CandidateColumns>,
  call: StageCall,
): RowTest {
  if (rows.length === 0) return () => false
  const verdicts: RowVerdict[] = []
  for (const { name, prepare } of filters) {
    const verdict = prepare(context, columns, call)
    if (verdict instanceof Promise) throw new TypeError(`the filter ${name} cannot decide about the final page at once`)
    if (verdict !== null) verdicts.push(verdict)
  }
  return (row) => {
    for (let i = 0; i < verdicts.length; i++) if (verdicts[i]!(row) !== keep) return true
    return false
  }
}
