import type { CandidateColumns } from '../candidates.ts'
import type { PinFacts } from '../pin-facts.ts'

/** The row in the facts of a candidate; −1: the catalogue does not have the pin, and the catalogue filter decides about it. */
export function factOf(facts: PinFacts, { keys }: Pick<CandidateColumns, 'keys'>, row: number): number {
  return facts.rowOf(keys.high[row] as number, keys.low[row] as number)
}
