import { mulberry32 } from '@freshet/domain/mulberry32'
import { calibrationName, fitCalibration, predictHead } from '../model/head-prediction.ts'
import type { Parameters, Weights } from '../model/trained-model.ts'
import type { Column, RowTable } from '../plan/column.ts'
import { fitPausing, type FittedPlan } from '../plan/fit-plan.ts'
import { inSlices } from '../plan/pausing.ts'
import type { Plan } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { startAtBaseRates } from './base-rates.ts'
import { checkRows } from './check-rows.ts'
import { createLearner } from './choose-learner.ts'
import { TrainingError } from './errors.ts'
import { figuresOf, labelledRows, type ModelFigures } from './figures.ts'
import { initialWeights } from './initial-weights.ts'
import type { Learner } from './learner.ts'
import type { LinearPrior } from './newton-learner.ts'
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
  /** What is believed before any row, where Newton's method learns; default: weights of 0 with a precision of 1. */
  readonly prior?: LinearPrior
  /** Steps of Newton's method at most; default 30. */
  readonly maxSteps?: number
  /** At most so many epochs of gradient descent; default: those of the plan. */
  readonly maxEpochs?: number
  /** Begins at the base rates of the heads, unless it begins with an earlier model. */
  readonly atBaseRates?: boolean
  /** Heads whose rows have one class only are learned all the same, as long as one head has both. */
  readonly someOneClass?: boolean
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
 * Learns a plan from rows: fits the statistics, then the weights. Heads that are linear in numbers are learned exactly by Newton's
 * method, heads that are linear in ids by AdaGrad on typed arrays, and all other plans by gradient descent on TensorFlow.js, with
 * the rate falling on a plateau of the validation loss. Same plan, rows and seed: same bytes. Throws a TrainingError; if the
 * signal is aborted, its reason.
 */
export async function trainModel(plan: Plan, table: RowTable, options: TrainOptions): Promise<TrainResult> {
  checkRows(plan, table, options.someOneClass)
  const started = options.nowMs()
  const program = compileTensorProgram(plan)
  const { fitted, outOfFold } = await fit(plan, table, options)
  const results = [...program.reads.keys()]
  const columnsOf = (rows: RowTable, given: ReadonlyMap<string, Column>): Promise<ReadonlyMap<string, Column>> => {
    const columns = createProgram(plan, fitted, transformCatalogue, { results, given: new Set(given.keys()) })
    return inSlices(columns.runPausing(new Map([...rows.inputs, ...given]), rows.rows), options.pause)
  }
  const weights = initialWeights(program.weights, options.seed)
  if (options.atBaseRates === true) startAtBaseRates(plan, table, weights)
  for (const [key, { values }] of weights) {
    const earlier = options.initial?.weights.get(key)
    if (earlier?.values.length === values.length) values.set(earlier.values)
  }
  const rows = { table, columns: await columnsOf(table, outOfFold) }
  const before = options.prior?.evidence?.typical
  const typical =
    before === undefined
      ? null
      : { rows: before.rows, columns: await columnsOf({ ...before, labels: new Map(), weights: null }, new Map()) }
  const given = { plan, program, ...rows, weights, random: mulberry32(options.seed + 1) }
  const learner = createLearner(given, { ...options, typical })
  const { validate } = options
  const held = validate === undefined ? null : { table: validate, columns: await columnsOf(validate, new Map()) }
  try {
    // A plan whose heads are fitted, such as forests, has nothing to descend to.
    const epochs = program.weights.length === 0 ? 0 : await runEpochs(plan, learner, held, options)
    const calibrations = held === null ? new Map<string, unknown>() : await calibrate(plan, learner, held, options)
    const metrics = await measure(plan, learner, held ?? rows, { calibrations, ...options })
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

/** The statistics of the plan: those of the earlier model, without its calibrations, if training begins with one. */
async function fit(
  plan: Plan,
  table: RowTable,
  { initial, seed, specFolder, pause }: TrainOptions,
): Promise<FittedPlan> {
  if (initial !== undefined) {
    const calibrations = new Set(plan.heads.map(({ name }) => calibrationName(name)))
    return {
      fitted: new Map([...initial.fitted].filter(([name]) => !calibrations.has(name))),
      outOfFold: new Map(),
    }
  }
  const how = { seed, catalogue: transformCatalogue, ...(specFolder !== undefined && { specFolder }) }
  return inSlices(fitPausing(plan, table, how), pause)
}

interface Rows {
  readonly table: RowTable
  readonly columns: ReadonlyMap<string, Column>
}

/** Runs epochs until the schedule ends, then restores the best weights. Returns their number. */
async function runEpochs(plan: Plan, learner: Learner, held: Rows | null, options: TrainOptions): Promise<number> {
  const { maxEpochs = Infinity } = options
  const epochs = learner.isExact ? 1 : Math.min(maxEpochs, plan.training.epochs)
  const schedule = createSchedule({ ...plan.training, epochs })
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
    const validation =
      held === null ? null : await measure(plan, learner, held, { calibrations: new Map(), ...options })
    options.onEpoch?.({ epoch, of: epochs, loss, rate, rows: learner.rows, ms, validation })
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

/** Σ over heads of loss weight · loss; a head that no row has a label of counts 0. */
function validationLoss({ heads }: Plan, figures: ModelFigures): number {
  return heads.reduce((sum, { name, lossWeight }) => {
    const { rows, loss } = figures.get(name)!
    return rows === 0 ? sum : sum + lossWeight * loss
  }, 0)
}

async function measure(
  { heads }: Plan,
  learner: Learner,
  { table, columns }: Rows,
  { calibrations, pause }: Pick<TrainOptions, 'pause'> & { readonly calibrations: ReadonlyMap<string, unknown> },
): Promise<ModelFigures> {
  const values = await inSlices(learner.values(table.rows, columns), pause)
  return new Map(
    heads.map((head, at) => {
      const predictions = predictHead(head, calibrations.get(calibrationName(head.name)), values[at]!)
      return [head.name, figuresOf(head, predictions, table)]
    }),
  )
}

/** Calibrations of heads, by the rows that training did not see. */
async function calibrate(
  { heads }: Plan,
  learner: Learner,
  { table, columns }: Rows,
  { pause }: TrainOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const values = await inSlices(learner.values(table.rows, columns), pause)
  const fits = heads.map((head, at) => {
    return [calibrationName(head.name), fitCalibration(head, labelledRows(head, values[at]!, table))] as const
  })
  return new Map(fits.filter(([, fit]) => fit !== null))
}

function copyOf(weights: ReadonlyMap<string, Weights>): ReadonlyMap<string, Weights> {
  return new Map([...weights].map(([key, { shape, values }]) => [key, { shape, values: values.slice() }]))
}
