import type { Tensor } from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import type { IndexMatrix, InferenceLayers, Matrix } from '../inference/layers.ts'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { ValueType } from '../plan/value-type.ts'

/** Why a transform cannot take its arguments; `arg`: the index of the argument at fault, if it is one. */
export interface TypeProblem {
  readonly problem: string
  readonly arg?: number
}

/** What every transform says of itself. */
export interface Description<Params> {
  /** The name that a spec calls. */
  readonly name: string
  /** One sentence for the reference page. */
  readonly summary: string
  /** The formula in plain text, with its source where it was published. */
  readonly formula: string
  /** A statement that uses it; the reference page shows it and a test compiles it. */
  readonly example: string
  /** Named parameters, as in `clip(x, low: 0, high: 1)`. */
  readonly params: z.ZodType<Params>
  /** The type of the result, or why the arguments do not fit. */
  typeOf(args: readonly ValueType[], params: Params): ValueType | TypeProblem
  /** Names of the parameters that are paths of files. A spec writes them relative to itself. */
  readonly files?: readonly string[]
  /** Indexes of the arguments that are times, milliseconds since 1970. Their inputs are read as 64-bit floats. */
  readonly times?: readonly number[]
  /** Multiplications and additions for one row; absent: one for each number of the arguments or of the result. */
  multiplyAdds?(args: readonly ValueType[], params: Params): number
}

/**
 * Where a transform writes. The arrays' content is undefined, and the next evaluation of the same node uses them again, so a
 * column is valid until then.
 */
export interface Output {
  /** Rows of the result. */
  readonly rows: number
  floats(length: number): Float32Array<ArrayBuffer>
  doubles(length: number): Float64Array<ArrayBuffer>
  ints(length: number): Int32Array<ArrayBuffer>
}

/** A formula without parameters from data. Reads whole columns and writes one. */
export interface FixedTransform<Params = unknown> extends Description<Params> {
  readonly gradient: 'fixed'
  /**
   * Computes a column of `output.rows` rows. An argument of one row holds for all rows. A row of the result depends on the
   * same row of the arguments only.
   */
  evaluate(args: readonly Column[], params: Params, output: Output): Column
}

/** The rows from which statistics are computed. */
export interface FittingRows {
  readonly rows: number
  readonly labels: ReadonlyMap<string, Float32Array>
  /** null: all 1. */
  readonly weights: Float32Array | null
  /** The group of each row, as `RowTable` has it. */
  readonly groups?: Int32Array
  readonly seed: number
  /** The text of a file that a parameter names; throws if it cannot be read. */
  readFile(path: string): string
}

/** A formula with statistics that are computed once from the training rows. */
export interface FittedTransform<Params = unknown, State = unknown> extends Description<Params> {
  readonly gradient: 'fitted'
  /** The statistics' JSON, checked when a model is loaded. */
  readonly state: z.ZodType<State>
  /** Why statistics cannot be those of a node with these arguments, as in "have 3 means; its argument has 4 numbers". */
  stateProblem?(state: State, args: readonly ValueType[], params: Params): string | null
  /** Statistics of training rows; `labels`: by name, for those that look at labels. */
  fit(args: readonly Column[], params: Params, training: FittingRows): State
  /**
   * The values of the training rows themselves, for statistics of a label: each row's value is computed without the labels of its
   * fold, so that it does not contain its own label. Asked for only if a learned or a fitted node reads them. Absent or null:
   * `evaluate` gives them.
   */
  outOfFold?(args: readonly Column[], params: Params, training: FittingRows, output: Output): Column | null
  evaluate(args: readonly Column[], params: Params, output: Output, state: State): Column
}

/** Shape and first values of a tensor of weights. */
export interface WeightShape {
  readonly name: string
  readonly shape: readonly number[]
  /** `glorot`: uniform by fan-in and fan-out; `normal`: standard deviation 0.01; a table of embeddings is `table`. */
  readonly initial: 'zeros' | 'ones' | 'glorot' | 'normal' | 'table'
  /** Index of the argument whose numbers choose rows of this weight. Only such a weight has the L2 penalty. */
  readonly rowsOf?: number
  /** A running mean that training observes; gradient descent does not change it. */
  readonly isObserved?: boolean
}

/** What a learned transform gets while it is trained. */
export interface LearnedTraining {
  /** Share of hidden units that are dropped. */
  readonly dropout: number
  /** A seeded number in [0, 1). */
  random(): number
  /** rows × width: 0 with probability `dropout`, else 1 / (1 − dropout). */
  mask(rows: number, width: number): Tensor
  /** Moves the running mean of an observed weight towards the value of this batch. */
  observe(name: string, value: Tensor): void
}

/** A part of the model whose weights gradient descent finds. Runs on TensorFlow.js. */
export interface LearnedTransform<Params = unknown> extends Description<Params> {
  readonly gradient: 'learned'
  weights(args: readonly ValueType[], params: Params): readonly WeightShape[]
  /**
   * Rows × width tensors in and out (float32; indices int32, rows × hashes, −1 for missing). A sequence of indices is
   * rows × max × hashes; a sequence of numbers is rows × max × (width + 1), whose last number is 1 for an element and 0
   * for a place after the end. The same code trains and serves; `training` is null when it serves.
   */
  apply(
    args: readonly Tensor[],
    params: Params,
    weights: ReadonlyMap<string, Tensor>,
    training: LearnedTraining | null,
  ): Tensor
  /**
   * The same formula as `apply` without training, built of the layers of our own kernel, which serve several times faster;
   * absent, or null for these arguments: TensorFlow.js serves.
   */
  layers?(
    args: readonly (Matrix | IndexMatrix)[],
    params: Params,
    weights: ReadonlyMap<string, Weights>,
    layers: InferenceLayers,
  ): Matrix | null
}

/** One transform: one file. */
export type Transform = FixedTransform | FittedTransform | LearnedTransform
