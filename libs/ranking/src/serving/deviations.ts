import type { TrainedModel } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import { createProgram } from '../plan/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'

/**
 * Computes the standard deviations of a page's utilities from the columns of the plan's inputs; null: the plan explores nothing.
 * Below 0 or missing counts as 0. `kept`: the rows that the first phase left to the model, null: all; the others have 0.
 */
export type Deviations = (
  columns: ReadonlyMap<string, Column>,
  candidates: number,
  kept: Int32Array | null,
) => Float32Array | null

/** The deviations of a model. Throws a PlanError if the plan's statistics do not fit. */
export function createDeviations({ plan, parameters }: TrainedModel): Deviations {
  const { exploration } = plan
  if (exploration === undefined) return () => null
  const program = createProgram(plan, parameters.fitted, transformCatalogue, { results: [exploration] })
  return (columns, candidates, kept) => {
    const deviations = new Float32Array(candidates)
    if (candidates === 0) return deviations
    const found = program.run(columns, candidates).get(exploration)!
    if (found.kind !== 'numbers') throw new TypeError(`the deviation is ${found.kind}, not numbers`)
    const write = (row: number): void => {
      const value = found.values[found.rows === 1 ? 0 : row]!
      if (value > 0 && Number.isFinite(value)) deviations[row] = value
    }
    if (kept === null) for (let row = 0; row < candidates; row++) write(row)
    else for (const row of kept) write(row)
    return deviations
  }
}
