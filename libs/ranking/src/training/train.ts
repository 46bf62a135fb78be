import { mulberry32 } from '@freshet/domain/mulberry32'
import { calibrationName, fitCalibration, predictHead } from '../model/head-prediction.ts'
import type { Parameters, Weights } from '../model/trained-model.ts'
import type { Column, RowTable } from '../plan/column.ts'
import { fitForTraining, type FittedPlan } from '../plan/fit-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { checkRows } from './check-rows.ts'
import { TrainingError } from './errors.ts'
import { figuresOf, labelledRows, type ModelFigures } from './figures.ts'
import { createGradientLearner } from './gradient-learner.ts'
import { initialWeights } from './initial-weights.ts'
import type { Learner } from './learner.ts'
import { createLinearLearner, linearPartsOf } from './linear-learner.ts'
import { createSchedule } from './schedule.ts'

/** What training reports after each epoch. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number
  /** At most so many epochs. */
  readonly of: number
  /** Mean loss of the training rows during the epoch. */
  readonly loss: number
  readonly rate: number
  readonly rows: number
  /** Milliseconds of the epoch, without its validation. */
  readonly ms: number
  /** Figures on the validation rows; null: there are none. */
  readonly validation: ModelFigures | null
}

/** Options of a training. */
export interface TrainOptions {
  /** Rows after those of the training window. They decide when the rate falls and when training ends. */
  readonly validate?: RowTable
  /** Begins with the parameters of an earlier model of the same plan, whose fitted statistics stay as they are. */
  readonly initial?: Parameters
  readonly seed: number
  /** The folder of the spec: paths of files in it are relative to that. Default: the current directory. */
  readonly specFolder?: string
  readonly nowMs: () => number
  readonly onEpoch?: (report: EpochReport) => void
  /** Called between steps, so that other work of the process gets its turn. */
  readonly pause?: () => Promise<void>
  readonly signal?: AbortSignal
}

/** A trained model's parameters and how they were found. */
export interface TrainResult {
  readonly parameters: Parameters
  /** Figures on the validation rows (without them: on the training rows) of the weights that were kept. */
  readonly metrics: ModelFigures
  readonly epochs: number
  readonly seconds: number
}

/**
 * Learns a plan from rows: fits the statistics, then the weights by gradient descent, with the rate falling on a plateau of
 * the validation loss. A plan that is linear in its columns is learned without TensorFlow.js. Same plan, rows and seed: same
 * bytes. Throws a TrainingError; if the signal is aborted, its reason.
 */
export async function trainModel(plan: Plan, table: RowTable, options: TrainOptions): Promise<TrainResult> {
  checkRows(plan, table)
  const started = options.nowMs()
  const program = compileTensorProgram(plan)
  const { fitted, outOfFold } = fit(plan, table, options)
  const results = [...program.reads.keys()]
  const columnsOf = (rows: RowTable, given: ReadonlyMap<string, Column>): ReadonlyMap<string, Column> =>
    createProgram(plan, fitted, transformCatalogue, { results, given: new Set(given.keys()) }).run(
      new Map([...rows.inputs, ...given]),
      rows.rows,
    )
  const weights = initialWeights(program.weights, options.seed)
  for (const [key, { values }] of weights) {
    const earlier = options.initial?.weights.get(key)
    if (earlier?.values.length === values.length) values.set(earlier.values)
  }
  const parts = linearPartsOf(plan, program)
  const rows = { table, columns: columnsOf(table, outOfFold) }
  const random = mulberry32(options.seed + 1)
  const learner =
    parts === null
      ? createGradientLearner({ plan, program, ...rows, weights, random })
      : createLinearLearner({ plan, parts, ...rows, weights, random })
  const { validate } = options
  const held = validate === undefined ? null : { table: validate, columns: columnsOf(validate, new Map()) }
  try {
    // A plan whose heads are fitted, such as forests, has nothing to descend to.
    const epochs = program.weights.length === 0 ? 0 : await runEpochs(plan, learner, held, options)
    const calibrations = held === null ? new Map<string, unknown>() : calibrate(plan, learner, held)
    const metrics = measure(plan, learner, held ?? rows, calibrations)
    return {
      parameters: { weights: copyOf(weights), fitted: new Map([...fitted, ...calibrations]) },
      metrics,
      epochs,
      seconds: (options.nowMs() - started) / 1000,
    }
  } finally {
    learner.dispose()
  }
}

/** The statistics of the plan: those of the earlier model if training begins with one. */
function fit(plan: Plan, table: RowTable, { initial, seed, specFolder }: TrainOptions): FittedPlan {
  if (initial !== undefined) return { fitted: initial.fitted, outOfFold: new Map() }
  return fitForTraining(plan, table, {
    seed,
    catalogue: transformCatalogue,
    ...(specFolder !== undefined && { specFolder }),
  })
}

interface Rows {
  readonly table: RowTable
  readonly columns: ReadonlyMap<string, Column>
}

/** Runs epochs until the schedule ends, then restores the best weights. Returns their number. */
async function runEpochs(plan: Plan, learner: Learner, held: Rows | null, options: TrainOptions): Promise<number> {
  const schedule = createSchedule(plan.training)
  let epoch = 0
  let best: ReturnType<Learner['save']> | null = null
  while (!schedule.isOver()) {
    const start = options.nowMs()
    const rate = schedule.rate()
    const loss = await runEpoch(learner, rate, options)
    const ms = options.nowMs() - start
    epoch++
    if (!Number.isFinite(loss))
      throw new TrainingError(
        'TRAINING_DIVERGED',
        `the loss of epoch ${epoch} is ${loss} at a learning rate of ${rate}; lower \`rate\` in the statement \`train\`, or clip the features with the largest values`,
      )
    const validation = held === null ? null : measure(plan, learner, held, new Map())
    options.onEpoch?.({ epoch, of: plan.training.epochs, loss, rate, rows: learner.rows, ms, validation })
    if (schedule.report(validation === null ? null : validationLoss(plan, validation))) best = learner.save()
  }
  learner.restore(best ?? learner.save())
  return epoch
}

async function runEpoch(learner: Learner, rate: number, { pause, signal }: TrainOptions): Promise<number> {
  let sum = 0
  let rows = 0
  for (const step of learner.epoch(rate)) {
    sum += step.loss * step.rows
    rows += step.rows
    if (!Number.isFinite(sum)) break
    signal?.throwIfAborted()
    await pause?.()
  }
  return sum / rows
}

/** Σ over heads of loss weight · loss. */
function validationLoss({ heads }: Plan, figures: ModelFigures): number {
  return heads.reduce((sum, { name, lossWeight }) => sum + lossWeight * figures.get(name)!.loss, 0)
}

function measure(
  { heads }: Plan,
  learner: Learner,
  { table, columns }: Rows,
  calibrations: ReadonlyMap<string, unknown>,
): ModelFigures {
  const values = learner.values(table.rows, columns)
  return new Map(
    heads.map((head, at) => {
      const predictions = predictHead(head, calibrations.get(calibrationName(head.name)), values[at]!)
      return [head.name, figuresOf(head, predictions, table)]
    }),
  )
}

/** Calibrations of heads, by the rows that training did not see. */
function calibrate({ heads }: Plan, learner: Learner, { table, columns }: Rows): ReadonlyMap<string, unknown> {
  const values = learner.values(table.rows, columns)
  const fits = heads.map((head, at) => {
    return [calibrationName(head.name), fitCalibration(head, labelledRows(head, values[at]!, table))] as const
  })
  return new Map(fits.filter(([, fit]) => fit !== null))
}

function copyOf(weights: ReadonlyMap<string, Weights>): ReadonlyMap<string, Weights> {
  return new Map([...weights].map(([key, { shape, values }]) => [key, { shape, values: values.slice() }]))
}
