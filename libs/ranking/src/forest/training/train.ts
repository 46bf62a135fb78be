import { mulberry32 } from '@freshet/domain/mulberry32'
import { checkLabelled } from '../../metrics/labelled.ts'
import { logLoss } from '../../metrics/log-loss.ts'
import { compileForest, rawForestScores } from '../forest.ts'
import type { ForestModel, ForestTree } from '../model.ts'
import { binFeature } from './bins.ts'
import { createTreeGrower } from './grow.ts'
import { createObjective } from './objectives.ts'
import type { ForestRows } from './rows.ts'
import { defaultForestSettings, type ForestSettings } from './settings.ts'

/** The columns of the matrix, by position. */
export interface ForestColumns {
  /** Without spaces, because LightGBM's text separates names by them. */
  readonly names: readonly string[]
  /** Whether the column holds categories: whole numbers from 0 to 2²⁰ − 1; others count as missing. */
  readonly isCategorical: readonly boolean[]
}

export interface TrainedForest {
  readonly model: ForestModel
  /** Log loss on the validation rows after each tree that was grown; empty without validation rows. */
  readonly validationLosses: readonly number[]
}

/**
 * Learns a forest for the probability of a label, or for the order of the rows of each group, by gradient boosting on histograms
 * (Friedman 2001; Ke et al. 2017): trees grown by leaf, missing values on the better side, categories sorted by gradient statistics. With
 * `validation`, keeps the number of trees that has the lowest log loss there. The same rows, settings and seed give the
 * same model. Throws `LabelledScoresError`, or a RangeError if an order is learned without groups or with validation rows.
 */
export function trainForest(
  { rows, validation, columns }: { rows: ForestRows; validation?: ForestRows; columns: ForestColumns },
  given: Partial<ForestSettings> = {},
): TrainedForest {
  const settings = { ...defaultForestSettings, ...given }
  for (const part of validation === undefined ? [rows] : [rows, validation])
    checkLabelled({ ...part, scores: new Float32Array(part.matrix.rows) })
  if (validation !== undefined && settings.objective !== 'binary')
    throw new RangeError(`${settings.objective} has no probabilities to validate; leave the validation rows out`)
  const objective = createObjective(settings.objective, rows)
  const features = columns.names.map((_, feature) =>
    binFeature(rows.matrix, feature, columns.isCategorical[feature] === true, settings),
  )
  const draft = {
    objective: objective.text,
    featureNames: columns.names,
    featureInfos: features.map(({ info }) => info),
  }
  const grower = createTreeGrower(features, settings)
  const random = mulberry32(settings.seed)
  const { start } = objective
  const scores = new Float64Array(rows.matrix.rows).fill(start)
  const derivatives = { gradients: new Float64Array(scores.length), hessians: new Float64Array(scores.length) }
  const trees: ForestTree[] = []
  const check = validation === undefined ? null : createValidator(draft, validation)
  let best = { trees: 0, loss: Infinity }
  while (trees.length < settings.trees) {
    objective.derive(scores, derivatives)
    const grown = grower.grow(derivatives, drawFeatures(features.length, settings.featureFraction, random), scores)
    const isStump = grown.splitFeature.length === 0
    if (isStump && trees.length > 0 && settings.featureFraction === 1) break
    const tree = trees.length === 0 ? raised(grown, start) : grown
    trees.push(tree)
    if (check === null) continue
    const loss = check.add(tree)
    if (loss < best.loss) best = { trees: trees.length, loss }
    else if (trees.length - best.trees >= settings.earlyStoppingRounds) break
  }
  return {
    model: { ...draft, trees: check === null ? trees : trees.slice(0, best.trees) },
    validationLosses: check?.losses ?? [],
  }
}

function drawFeatures(count: number, fraction: number, random: () => number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, feature) => feature)
  const wanted = Math.min(count, Math.max(1, Math.round(count * fraction)))
  for (let at = 0; at < wanted && wanted < count; at++) {
    const other = at + Math.floor(random() * (count - at))
    ;[all[at], all[other]] = [all[other]!, all[at]!]
  }
  return all.subarray(0, wanted).sort()
}

/** The first tree carries the score with which boosting began, as LightGBM's does. */
function raised(tree: ForestTree, by: number): ForestTree {
  return { ...tree, leafValue: tree.leafValue.map((value) => value + by) }
}

function createValidator(draft: Omit<ForestModel, 'trees'>, { matrix, labels, weights }: ForestRows) {
  const scores = new Float64Array(matrix.rows)
  const [ofTree, probabilities] = [new Float64Array(matrix.rows), new Float64Array(matrix.rows)]
  const losses: number[] = []
  const add = (tree: ForestTree): number => {
    rawForestScores(compileForest({ ...draft, trees: [tree] }), matrix, ofTree)
    for (let row = 0; row < scores.length; row++) {
      scores[row]! += ofTree[row]!
      probabilities[row] = 1 / (1 + Math.exp(-scores[row]!))
    }
    const loss = logLoss({ scores: probabilities, labels, ...(weights === undefined ? {} : { weights }) })
    losses.push(loss)
    return loss
  }
  return { losses, add }
}
