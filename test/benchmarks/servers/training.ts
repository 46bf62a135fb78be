import * as layers from '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'
import { chooseBackend, type BackendName } from '@freshet/ranking/tensor/backend'
import { registerTrainingKernels } from '@freshet/ranking/tensor/kernels'
import { trainModel } from '@freshet/ranking/training/train'
import { tableOf, trainingPlan, trainingRows, trainingShape, type TrainingRows } from '../training-model.ts'
import { serveParent } from './child.ts'

/** Rows a second of each epoch. */
export interface TrainingSpeed {
  readonly backend: BackendName
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

serveParent({
  /** Trains the model our way and with TensorFlow.js's own layers, one after the other; the first epochs are for the compilers. */
  async measure(rows: number): Promise<TrainingSpeed> {
    const backend = await chooseBackend('auto')
    registerTrainingKernels()
    const data = trainingRows(rows)
    const ours: number[] = []
    const theirs: number[] = []
    const plain = createPlain(data)
    await trainModel(trainingPlan(), tableOf(data), {
      seed: 1,
      nowMs: () => performance.now(),
      onEpoch({ epoch, ms }) {
        const start = performance.now()
        plain.epoch()
        const plainMs = performance.now() - start
        if (epoch === 1) return
        ours.push(rows / (ms / 1000))
        theirs.push(rows / (plainMs / 1000))
      },
    })
    return { backend, ours, theirs }
  },
  stop: async () => undefined,
})

/** The same model of TensorFlow.js's layers, with its own Adam; batches are cut from tensors of all rows. */
function createPlain({ rows, fields, labels }: TrainingRows): { epoch(): void } {
  const { names, size, hidden, batchRows } = trainingShape
  const inputs = fields.map(() => layers.input({ shape: [1], dtype: 'int32' }))
  const vectors = inputs.map((input) => {
    const found = layers.layers.embedding({ inputDim: names, outputDim: size }).apply(input)
    return layers.layers.flatten().apply(found) as layers.SymbolicTensor
  })
  let at = layers.layers.concatenate().apply(vectors) as layers.SymbolicTensor
  for (const units of hidden) at = layers.layers.dense({ units, activation: 'relu' }).apply(at) as layers.SymbolicTensor
  const output = layers.layers.dense({ units: 1 }).apply(at) as layers.SymbolicTensor
  const model = layers.model({ inputs, outputs: output })
  const adam = tf.train.adam(0.001)
  const columns = fields.map((field) => tf.tensor2d(field, [rows, 1], 'int32'))
  const wanted = tf.tensor2d(labels, [rows, 1])
  return {
    epoch() {
      for (let first = 0; first < rows; first += batchRows) {
        const count = Math.min(batchRows, rows - first)
        const cost = adam.minimize(() => {
          const batch = columns.map((column) => tf.slice(column, [first, 0], [count, 1]))
          const logits = model.apply(batch, { training: true }) as tf.Tensor
          const happened = tf.slice(wanted, [first, 0], [count, 1])
          return tf.losses.sigmoidCrossEntropy<tf.Tensor, tf.Scalar>(happened, logits)
        }, true)
        // Reading the loss waits for the step, as our training does.
        cost?.dataSync()
        cost?.dispose()
      }
    },
  }
}
