import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** Rows with a prediction, what happened, and how much each row counts. Number i of every array is row i. */
export interface LabelledScores {
  /** Predictions: probabilities or raw scores, as the function says. Finite. */
  readonly scores: Float32Array | Float64Array
  /** 1: it happened, 0: it did not; between them a share of both. */
  readonly labels: Float32Array | Float64Array
  /** At least 0; absent: 1 for every row. */
  readonly weights?: Float32Array | Float64Array
}

/** Labelled rows cannot be used. The message lists every problem. */
export class LabelledScoresError extends CodedError<'LABELLED_SCORES_INVALID'> {
  constructor(problems: readonly string[]) {
    const { LABELLED_SCORES_INVALID } = rankingErrorCatalogue
    super(
      'LABELLED_SCORES_INVALID',
      LABELLED_SCORES_INVALID,
      `the labelled rows cannot be used: ${problems.join('; ')}`,
    )
  }
}

/** Throws `LabelledScoresError` unless there are rows, all numbers are in range, and some row has weight. */
export function checkLabelled({ scores, labels, weights }: LabelledScores): void {
  const rows = scores.length
  const problems: string[] = []
  if (rows === 0) problems.push('there are no rows')
  if (labels.length !== rows) problems.push(`there are ${labels.length} labels for ${rows} scores`)
  if (weights !== undefined && weights.length !== rows)
    problems.push(`there are ${weights.length} weights for ${rows} scores`)
  const name = (what: string, values: ArrayLike<number>, row: number, range: string): void => {
    if (row >= 0) problems.push(`the ${what} of row ${row} is ${values[row]}; expected ${range}`)
  }
  const score = scores.findIndex((value) => !Number.isFinite(value))
  name('score', scores, score, 'a finite number')
  const label = labels.findIndex((value) => !(value >= 0 && value <= 1))
  name('label', labels, label, 'a number from 0 to 1')
  if (weights !== undefined) {
    const weight = weights.findIndex((value) => !(value >= 0 && value < Infinity))
    name('weight', weights, weight, 'a finite number of at least 0')
    if (rows > 0 && weight < 0 && weights.every((value) => value === 0)) problems.push('all weights are 0')
  }
  if (problems.length > 0) throw new LabelledScoresError(problems)
}

/** Row numbers in the order of rising scores; rows of equal scores stay in order. */
export function rowsByScore(scores: Float32Array | Float64Array): Uint32Array {
  return new Uint32Array(scores.length).map((_, row) => row).sort((a, b) => scores[a]! - scores[b]!)
}
