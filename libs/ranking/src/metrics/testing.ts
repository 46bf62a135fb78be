import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabelledScores } from './labelled.ts'

/** Rows with the values that scikit-learn computes of them; written by scripts/sklearn-golden.py. */
interface BinaryCase {
  readonly scores: readonly number[]
  readonly labels: readonly number[]
  readonly weights: readonly number[] | null
  readonly auc: number
  readonly logLoss: number
  readonly ratio: number
  readonly asked: readonly number[]
  readonly platt: readonly number[]
  readonly isotonic: readonly number[]
}

interface GroupedCase {
  readonly k: number
  readonly groupSizes: readonly number[]
  readonly scores: readonly number[]
  readonly labels: readonly number[]
  readonly ndcg: number
}

/** The cases of scikit-learn: weighted and not, with equal scores and without. */
export const sklearnCases = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/sklearn.json'), 'utf8')) as {
  readonly binary: readonly BinaryCase[]
  readonly grouped: readonly GroupedCase[]
}

/** Labelled rows of plain lists. */
export function labelled(
  scores: readonly number[],
  labels: readonly number[],
  weights?: readonly number[] | null,
): LabelledScores {
  const rows = { scores: Float64Array.from(scores), labels: Float64Array.from(labels) }
  return weights == null ? rows : { ...rows, weights: Float64Array.from(weights) }
}
