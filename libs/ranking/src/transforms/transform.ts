import type { z } from 'zod'

/** Scales one column of all rows: reads `features[row · width + column]` and writes the same place of `out`. */
export type ScaleColumn = (features: Float32Array, out: Float32Array, column: number) => void

/** How a feature's number is brought to a scale of about one before the model weighs it. One file defines one transform. */
export interface TransformDefinition<Settings = unknown> {
  /** The name by which a spec chooses it. */
  readonly name: string
  /** How a spec writes it, for people. */
  readonly spelling: string
  /** What it does with a number x. */
  readonly formula: string
  readonly schema: z.ZodType<Settings>
  /**
   * A loop over all rows of its own for each transform: a call for each number would cost more than the number.
   * `width`: numbers per row.
   */
  compile(settings: Settings, width: number): ScaleColumn
}

/** Gives a transform's definition its type. */
export function defineTransform<Settings>(definition: TransformDefinition<Settings>): TransformDefinition<Settings> {
  return definition
}
