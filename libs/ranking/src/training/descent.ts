import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Column } from '../plan/column.ts'
import type { Plan } from '../plan/plan.ts'
import type { Weights } from '../model/trained-model.ts'
import { arrayOf, toTensor, type TensorData } from '../tensor/columns.ts'
import type { PlanWeight, TensorProgram, TrainingOf } from '../tensor/program.ts'
import { adam, createAdamState, type AdamState, type AdamStep } from './adam.ts'
import type { TrainingLabels } from './labels.ts'
import { lossOf } from './loss.ts'
import type { MaskPool } from './masks.ts'
import { createTouchedRows, denseRows, type TouchedRows } from './touched-rows.ts'

/** How fast running means follow the batches. */
const observedShare = 0.1

/** What gradient descent needs. */
export interface DescentOptions {
  readonly plan: Plan
  readonly program: TensorProgram
  /** The columns that the program reads, of all training rows. */
  readonly columns: ReadonlyMap<string, Column>
  readonly labels: TrainingLabels
  /** Changed in place. */
  readonly weights: ReadonlyMap<string, Weights>
  readonly masks: MaskPool
  readonly random: () => number
}

/** Gradient descent on batches of rows. */
export interface Descent {
  /** One step on these rows; returns the loss. */
  step(picked: Int32Array, rate: number): number
}

/** A weight in one step: its tensor, and for a large table the rows of it that the tensor holds. */
interface StepWeight {
  readonly weight: PlanWeight
  readonly tensor: Tensor
  readonly touched: TouchedRows | null
}

/** Prepares gradient descent by Adam. The tensors of a step are freed at its end. */
export function createDescent(options: DescentOptions): Descent {
  const { plan, program, columns, labels, weights, masks, random } = options
  const states = new Map<string, AdamState>()
  const touch = new Map<string, (indices: Int32Array) => TouchedRows>()
  for (const { key, shape, isObserved, indexedBy } of program.weights) {
    if (isObserved !== true) states.set(key, createAdamState(weights.get(key)!.values.length))
    if (indexedBy !== null && shape[0]! > denseRows) touch.set(key, createTouchedRows(shape[0]!))
  }
  let steps = 0

  const trainingOf: TrainingOf = (node) => ({
    dropout: plan.training.dropout,
    random,
    mask: (rows, width) => masks.mask(rows, width),
    observe(name, value) {
      const { values } = weights.get(`${node}/${name}`)!
      const seen = value.dataSync()
      for (let at = 0; at < values.length; at++) values[at]! += observedShare * (seen[at]! - values[at]!)
    },
  })

  function prepare(picked: Int32Array): { inputs: Map<string, Tensor>; stepWeights: StepWeight[] } {
    const choice = { rows: picked.length, picked, used: picked.length }
    const arrays = new Map<string, TensorData>()
    for (const [name, type] of program.reads) arrays.set(name, arrayOf(columns.get(name)!, type, choice))
    const inputs = new Map([...arrays].map(([name, data]) => [name, toTensor(data)]))
    const stepWeights = program.weights.map((weight): StepWeight => {
      const { key, indexedBy, shape } = weight
      const { values } = weights.get(key)!
      const find = touch.get(key)
      if (find === undefined || indexedBy === null)
        return { weight, tensor: tf.tensor(values, [...shape]), touched: null }
      const indices = arrays.get(indexedBy)!
      const touched = find(indices.values as Int32Array)
      inputs.set(key, toTensor({ shape: indices.shape, values: touched.indices }))
      return { weight, tensor: rowsTensor(values, touched.rows, shape[1]!), touched }
    })
    return { inputs, stepWeights }
  }

  function update(stepWeights: readonly StepWeight[], gradients: readonly (Tensor | null)[], how: AdamStep): void {
    for (const [at, { weight, touched }] of stepWeights.entries()) {
      const gradient = gradients[at]?.dataSync() as Float32Array | undefined
      if (gradient === undefined) continue
      const { values } = weights.get(weight.key)!
      const state = states.get(weight.key)!
      const step = { ...how, l2: weight.indexedBy === null ? 0 : how.l2 }
      if (touched === null) adam(values, gradient, state, { ...step, from: 0 })
      else {
        const size = weight.shape[1]!
        for (const [place, row] of touched.rows.entries())
          adam(values, gradient.subarray(place * size, (place + 1) * size), state, { ...step, from: row * size })
      }
    }
  }

  return {
    step(picked, rate) {
      steps++
      tf.engine().startScope('step')
      try {
        const { inputs, stepWeights } = prepare(picked)
        const batchLabels = labels.pick(picked)
        const trained = stepWeights.filter(({ weight }) => weight.isObserved !== true)
        const tensors = new Map(stepWeights.map(({ weight, tensor }) => [weight.key, tensor]))
        const { value, grads } = tf.engine().gradients(
          () => {
            const values = program.run(
              (name, key) => inputs.get(key ?? name) ?? inputs.get(name)!,
              tensors,
              picked.length,
              trainingOf,
            )
            return lossOf(values, plan.heads, batchLabels)
          },
          trained.map(({ tensor }) => tensor),
          undefined,
          true,
        )
        update(trained, grads, { rate, l2: plan.training.l2, step: steps })
        return (value).dataSync()[0]!
      } finally {
        tf.engine().endScope()
      }
    },
  }
}

function rowsTensor(values: Float32Array, rows: Int32Array, size: number): Tensor {
  const out = new Float32Array(Math.max(1, rows.length) * size)
  for (const [place, row] of rows.entries()) out.set(values.subarray(row * size, (row + 1) * size), place * size)
  return tf.tensor2d(out, [Math.max(1, rows.length), size])
}
