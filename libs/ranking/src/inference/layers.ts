import type { Weights } from '../model/trained-model.ts'

/** Numbers of a pass: rows × width floats at an address; rows are `stride` bytes apart, a multiple of 32. */
export interface Matrix {
  readonly kind: 'matrix'
  readonly at: number
  readonly width: number
  readonly stride: number
}

/** Row numbers of a table: rows × hashes at an address; −1: missing. */
export interface IndexMatrix {
  readonly kind: 'indices'
  readonly at: number
  readonly hashes: number
}

/** x·W + b: W is inputs × units, row by row. */
export interface DenseWeights {
  readonly kernel: Float32Array
  readonly bias: Float32Array
}

/** The activation of a hidden layer; null: none. */
export type Activation = 'relu' | 'tanh' | 'elu' | null

/** What a learned transform builds its serving form of. Each call adds a step to the pass and returns what it computes. */
export interface InferenceLayers {
  /** x·W + b, then the activation. */
  dense(x: Matrix, weights: DenseWeights, activation: Activation): Matrix
  /** The bias in each row. */
  constant(bias: Float32Array): Matrix
  /** a ⊙ b + c; all have the same width. */
  multiplyAdd(a: Matrix, b: Matrix, c: Matrix): Matrix
  /** a + b; both have the same width. */
  add(a: Matrix, b: Matrix): Matrix
  /** The columns of all side by side. */
  concat(args: readonly Matrix[]): Matrix
  /** The sum of the rows of a table that the indices of a row choose. */
  sumOfRows(table: Weights, indices: IndexMatrix): Matrix
}
