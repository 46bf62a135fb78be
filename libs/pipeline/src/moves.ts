import { StageError } from './stage-error.ts'
import { unknownReason } from './fates.ts'
import type { Moved } from './stage.ts'

/** Rows that a stage moved, in columns of equal length: old position, new position, reason. */
export interface Moves {
  readonly rows: Int32Array
  readonly from: Int32Array
  readonly to: Int32Array
  /** Index in `reasonNames`. */
  readonly reasons: Uint8Array
  readonly reasonNames: readonly string[]
}

/** Finds the positions of the rows that a selector reports as moved. Leaves out rows that kept their position. Throws STAGE_ANSWER_INVALID for a row that is not in the selector's answer, and for an unknown reason. */
export function findMoves(
  { name, moveReasons = [] }: { readonly name: string; readonly moveReasons?: readonly string[] },
  moved: Moved,
  { before, after, size }: { readonly before: Int32Array; readonly after: Int32Array; readonly size: number },
): Moves | null {
  if (fromOf.length < size) {
    fromOf = new Int32Array(size)
    toOf = new Int32Array(size)
  }
  writePlaces(before, fromOf)
  writePlaces(after, toOf)
  const count = moved.rows.length
  const columns = [new Int32Array(count), new Int32Array(count), new Int32Array(count)] as const
  const [rows, from, to] = columns
  const reasons = new Uint8Array(count)
  let kept = 0
  for (let at = 0; at < count; at++) {
    const row = moved.rows[at] as number
    const reason = moved.reasons[at] ?? -1
    if (moveReasons[reason] === undefined)
      throw new StageError('STAGE_ANSWER_INVALID', unknownReason(name, reason, moveReasons))
    const position = toOf[row] ?? -1
    if (after[position] !== row)
      throw new StageError('STAGE_ANSWER_INVALID', `${name} moved row ${row}, which it did not take`)
    if (fromOf[row] === position) continue
    rows[kept] = row
    from[kept] = fromOf[row] as number
    to[kept] = position
    reasons[kept++] = reason
  }
  if (kept === 0) return null
  return {
    rows: rows.subarray(0, kept),
    from: from.subarray(0, kept),
    to: to.subarray(0, kept),
    reasons: reasons.subarray(0, kept),
    reasonNames: moveReasons,
  }
}

/** The place of each row before and after a stage. Rows that are at no place keep that of an earlier call: a reader looks whether the row is there. */
let fromOf = new Int32Array(0)
let toOf = new Int32Array(0)

function writePlaces(rows: Int32Array, places: Int32Array): void {
  for (let place = 0; place < rows.length; place++) places[rows[place] as number] = place
}
