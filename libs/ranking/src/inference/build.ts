import { createMemoryLayout, type LinearMemory } from '@freshet/columns/wasm'
import type { Weights } from '../model/trained-model.ts'
import { blockRows, createInferenceKernel, panelColumns, type InferenceKernel } from './kernel.ts'
import type { Activation, DenseWeights, IndexMatrix, InferenceLayers, Matrix } from './layers.ts'

/** Rows of a pass: a page of 500 candidates takes one. A multiple of the kernel's block. */
export const passRows = 84 * blockRows

/** A step of a pass; `rows` is a multiple of the kernel's block. */
type Step = (kernel: InferenceKernel, memory: LinearMemory, rows: number) => void

/** Lays out the memory of a pass and collects its steps. */
export interface InferenceBuilder extends InferenceLayers {
  /** A place for numbers from outside. */
  matrix(width: number): Matrix
  /** A place for row numbers from outside. */
  indices(hashes: number): IndexMatrix
  /** Allocates the memory and fills in the weights. Throws a RangeError if they need more than 4 GiB. */
  finish(): { readonly memory: LinearMemory; readonly kernel: InferenceKernel; run(rows: number): void }
}

/** A builder without steps. */
export function createInferenceBuilder(): InferenceBuilder {
  const layout = createMemoryLayout()
  const steps: Step[] = []
  const fills: ((memory: LinearMemory) => void)[] = []

  const matrix = (width: number): Matrix => {
    const stride = 4 * padded(width)
    return { kind: 'matrix', at: layout.take(passRows * stride), width, stride }
  }
  const floats = (values: Float32Array): number => {
    const at = layout.take(4 * values.length)
    fills.push(({ buffer }) => new Float32Array(buffer, at, values.length).set(values))
    return at
  }
  const product = (x: Matrix | null, { kernel, bias }: DenseWeights, activation: Activation): Matrix => {
    const out = matrix(bias.length)
    const inputs = x?.width ?? 0
    const weights = floats(packed(kernel, bias, inputs))
    const panels = padded(bias.length) / panelColumns
    const [from, stride] = [x?.at ?? 0, x?.stride ?? 0]
    const relu = activation === 'relu' ? 1 : 0
    steps.push((loops, _memory, rows) =>
      loops.dense(from, stride, inputs, weights, panels, relu, out.at, out.stride, rows),
    )
    if (activation === 'tanh' || activation === 'elu') steps.push(activate(out, activation))
    return out
  }

  return {
    matrix,
    indices: (hashes) => ({ kind: 'indices', at: layout.take(4 * passRows * hashes), hashes }),
    dense: product,
    constant: (bias) => product(null, { kernel: new Float32Array(), bias }, null),
    multiplyAdd(a, b, c) {
      const out = matrix(a.width)
      steps.push((loops, _memory, rows) => loops.multiplyAdd(a.at, b.at, c.at, out.at, (rows * out.stride) / 4))
      return out
    },
    add(a, b) {
      const out = matrix(a.width)
      steps.push((loops, _memory, rows) => loops.add(a.at, b.at, out.at, (rows * out.stride) / 4))
      return out
    },
    concat(args) {
      if (args.length === 1) return args[0]!
      const out = matrix(args.reduce((sum, { width }) => sum + width, 0))
      let to = out.at
      for (const { at, stride, width } of args) {
        const from = to
        steps.push((loops, _memory, rows) => loops.copyRows(at, stride, from, out.stride, 4 * width, rows))
        to += 4 * width
      }
      return out
    },
    sumOfRows: ({ shape, values }: Weights, indices) => {
      const [, size] = shape as [number, number]
      const table = floats(values)
      const out = matrix(size)
      steps.push((loops, _memory, rows) =>
        loops.sumOfRows(table, size, indices.at, indices.hashes, out.at, out.stride, rows),
      )
      return out
    },
    finish() {
      const { memory } = layout.allocate('the weights and columns of a model')
      const kernel = createInferenceKernel(memory)
      for (const fill of fills) fill(memory)
      return {
        memory,
        kernel,
        run(rows) {
          for (const step of steps) step(kernel, memory, rows)
        },
      }
    },
  }
}

/** Columns with those of the last panel that are not in use. */
function padded(width: number): number {
  return Math.ceil(width / panelColumns) * panelColumns
}

/** Weights as the kernel reads them: panel by panel, biases first. */
function packed(kernel: Float32Array, bias: Float32Array, inputs: number): Float32Array {
  const units = bias.length
  const out = new Float32Array((inputs + 1) * padded(units))
  for (let unit = 0; unit < units; unit++) {
    const panel = Math.floor(unit / panelColumns)
    let to = panel * (inputs + 1) * panelColumns + (unit % panelColumns)
    out[to] = bias[unit]!
    for (let input = 0; input < inputs; input++) out[(to += panelColumns)] = kernel[input * units + unit]!
  }
  return out
}

function activate({ at, stride }: Matrix, activation: 'tanh' | 'elu'): Step {
  return (_kernel, { buffer }, rows) => {
    const values = new Float32Array(buffer, at, (rows * stride) / 4)
    for (let place = 0; place < values.length; place++) {
      const x = values[place]!
      values[place] = activation === 'tanh' ? Math.tanh(x) : x < 0 ? Math.expm1(x) : x
    }
  }
}
