import type { Pausing } from '../plan/pausing.ts'
import type { Weights } from '../model/trained-model.ts'
import type { Column, RowTable } from '../plan/column.ts'
import type { Plan, PlanHead } from '../plan/plan.ts'
import { designOf, original, standardised, type Design, type LinearWeights } from '../regression/design.ts'
import { fitRegression, type Fit, type RegressionRows, type WeightPrior } from '../regression/newton.ts'
import type { TensorProgram } from '../tensor/program.ts'
import { copyWeights, restoreWeights, type Learner } from './learner.ts'
import type { LinearPart } from './linear-parts.ts'
import { linearValues, offsetsOf } from './linear-row.ts'

/** What is believed before any row. */
export interface LinearPrior {
  /** Weights around which the prior is; absent ones are 0. The biases have no prior. */
  readonly means: ReadonlyMap<string, Weights>
  /** 1 / variance of the weight of a number with deviation 1. */
  readonly precision: number
  /** The rows from which the means were learned; absent: they come from no rows. */
  readonly evidence?: Evidence
}

/** What earlier rows say about weights. */
export interface Evidence {
  /** For each head by its name: 1 / variance of the weight of a number that had deviation 1 in those rows. */
  readonly precisions: ReadonlyMap<string, number>
  /** A few rows with values as in those rows, which tell how much each number varied there. */
  readonly typical: Pick<RowTable, 'rows' | 'inputs'>
}

/** More numbers than this are not dense: the time of a step grows with their square. */
const mostNumbers = 1_000

/** A pseudo-observation or two, so that an action that nobody has done yet has a finite bias. */
const biasPrecision = 1e-3
/** What evidence says about a bias counts this much of what it says about a weight. */
const biasShare = 0.1

/** Whether Newton's method can fit these heads: they have numbers and no tables of ids. */
export function isDense(parts: readonly LinearPart[], { weights }: TensorProgram): boolean {
  return parts.every(({ node }) => {
    const own = weights.filter(({ key }) => key.startsWith(`${node}/`))
    const kernel = own.find(({ key }) => key === kernelOf(node))
    return own.length === 2 && kernel !== undefined && kernel.shape[0]! <= mostNumbers
  })
}

/** What the learner needs; `weights` change in place. */
export interface NewtonLearnerOptions {
  readonly plan: Plan
  readonly parts: readonly LinearPart[]
  readonly table: RowTable
  readonly columns: ReadonlyMap<string, Column>
  readonly weights: ReadonlyMap<string, Weights>
  readonly prior: LinearPrior
  /** The columns of the typical rows of the evidence; null: there is no evidence. */
  readonly typical: { readonly rows: number; readonly columns: ReadonlyMap<string, Column> } | null
  readonly maxSteps: number
}

/**
 * Learns logistic and linear regressions over numbers exactly, by Newton's method with a prior: one epoch finds the weights with
 * the highest posterior probability. It begins at the weights given, which only saves steps.
 */
export function createNewtonLearner(options: NewtonLearnerOptions): Learner {
  const { plan, parts, table, columns, weights, prior, typical, maxSteps } = options

  function* fitHead(head: PlanHead, part: LinearPart, design: Design): Pausing<Fit> {
    const means = linearWeights(prior.means, part.node, design)
    const around = standardised(means, design)
    const believed: WeightPrior = { mean: around, precision: yield* precisionsOf(head, part, design) }
    const start = standardised(linearWeights(weights, part.node, design), design)
    const fit = yield* fitRegression(rowsOf(head, part, design), believed, { start, maxSteps })
    const { bias, kernel } = original(fit.weights, design, means)
    weights.get(biasOf(part.node))!.values[0] = bias
    weights.get(kernelOf(part.node))!.values.set(kernel)
    return fit
  }

  /**
   * Evidence is about numbers as they varied then. A number that varies less now has a larger weight where it has deviation 1, and
   * few rows may not move that as far. For the bias it counts a tenth: how often people act changes sooner than what they prefer.
   */
  function* precisionsOf({ name }: PlanHead, part: LinearPart, design: Design): Pausing<Float64Array> {
    const precisions = new Float64Array(design.width).fill(prior.precision)
    precisions[0] = biasPrecision
    if (prior.evidence === undefined || typical === null) return precisions
    const before = yield* designOf(
      part.args.map((arg) => typical.columns.get(arg)!),
      typical.rows,
    )
    const evidence = prior.evidence.precisions.get(name) ?? 0
    precisions[0] += biasShare * evidence
    for (const [column, deviation] of design.deviations.entries())
      if (deviation > 0) precisions[column + 1]! += evidence * (before.deviations[column]! / deviation) ** 2
    return precisions
  }

  function rowsOf({ kind, label }: PlanHead, { offset }: LinearPart, design: Design): RegressionRows {
    const { rows, width, values } = design
    const given = table.labels.get(label)!
    const offsetOf = offset === null ? null : offsetsOf(columns.get(offset)!)
    return {
      kind,
      rows,
      width,
      values,
      labels: kind === 'amount' ? given.map((amount) => Math.log1p(Math.max(0, amount))) : given,
      weights: table.weights ?? new Float32Array(rows).fill(1),
      offsets: offsetOf === null ? null : Float32Array.from({ length: rows }, (_, row) => offsetOf(row)),
    }
  }

  return {
    rows: table.rows,
    isExact: true,
    *epoch() {
      const designs = new Map<string, Design>()
      let loss = 0
      for (const [at, head] of plan.heads.entries()) {
        const part = parts[at]!
        const names = part.args.join(' ')
        const args = part.args.map((name) => columns.get(name)!)
        const design = designs.get(names) ?? (yield* pausing(designOf(args, table.rows)))
        designs.set(names, design)
        if (head.lossWeight > 0) loss += head.lossWeight * (yield* pausing(fitHead(head, part, design))).loss
      }
      yield { loss: loss / table.rows, rows: table.rows }
    },
    values: (rows, given) => linearValues(parts, { rows, columns: given }, weights),
    save: () => copyWeights(weights),
    restore: (saved) => restoreWeights(weights, saved),
    dispose: () => undefined,
  }
}

const kernelOf = (node: string): string => `${node}/numbers_kernel`
const biasOf = (node: string): string => `${node}/numbers_bias`

function linearWeights(weights: ReadonlyMap<string, Weights>, node: string, { means }: Design): LinearWeights {
  return {
    bias: weights.get(biasOf(node))?.values[0] ?? 0,
    kernel: weights.get(kernelOf(node))?.values ?? new Float32Array(means.length),
  }
}

/** Each pause of some work as a step of no rows. */
function* pausing<Result>(
  work: Pausing<Result>,
): Generator<{ readonly loss: number; readonly rows: number }, Result, undefined> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    yield { loss: 0, rows: 0 }
  }
}
