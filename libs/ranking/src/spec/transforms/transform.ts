import type { z } from 'zod'

/** Scales one column of all rows: reads `features[row · width + column]` and writes the same place of `out`. */
export type ScaleColumn = (features: Float32Array, out: Float32Array, column: number) => void

/** Scales a feature's number to a magnitude of about one before the model applies its weight. One file defines one transform. */
export interface TransformDefinition<Settings = unknown> {
  /** The name that a spec uses. */
  readonly name: string
  /** How a spec writes it, for messages. */
  readonly spelling: string
  /** Its formula for a number x. */
  readonly formula: string
  readonly schema: z.ZodType<Settings>
  /**
   * Compiles a loop over all rows, because a function call per number would take longer than the scaling.
   * `width`: numbers per row.
   */
  compile(settings: Settings, width: number): ScaleColumn
}

/** Gives a transform's definition its type. */
export function defineTransform<Settings>(definition: TransformDefinition<Settings>): TransformDefinition<Settings> {
  return definition
}
