import type { LinearMemory } from '@freshet/columns/wasm'
import type { Weights } from '../model/trained-model.ts'
import type { Column } from '../plan/column.ts'
import type { TensorProgram, TensorStep } from '../tensor/program.ts'
import { createInferenceBuilder, passRows, type InferenceBuilder } from './build.ts'
import { blockRows, type InferenceKernel } from './kernel.ts'
import type { IndexMatrix, InferenceLayers, Matrix } from './layers.ts'

/** The learned part of a plan, ready to serve without TensorFlow.js. */
export interface Inference {
  /** Values of the program's results for the picked rows, row by row. A column of one row holds for all rows. */
  predict(columns: ReadonlyMap<string, Column>, picked: Int32Array): Float32Array
}

/**
 * Builds the serving form of a program; null: it has a part that only TensorFlow.js computes (see `layers` of
 * `LearnedTransform`). Values are within 1e-5 of those of TensorFlow.js.
 */
export function createInference(program: TensorProgram, weights: ReadonlyMap<string, Weights>): Inference | null {
  const builder = createInferenceBuilder()
  const values = new Map<string, Matrix | IndexMatrix>()
  for (const [name, type] of program.reads) {
    if (type.kind === 'scalar') values.set(name, builder.matrix(1))
    else if (type.kind === 'vector') values.set(name, builder.matrix(type.size))
    else if (type.kind === 'index') values.set(name, builder.indices(type.hashes))
    else return null
  }
  const inputs = [...program.reads.keys()].map((name): Input => ({ name, to: values.get(name)! }))
  for (const step of program.steps) {
    const value = valueOf(step, values, weights, builder)
    if (value === null) return null
    values.set(step.node.id, value)
  }
  const results = program.results.map((name) => values.get(name)!)
  return results.every((result) => result.kind === 'matrix') ? pass(builder, inputs, results) : null
}

interface Input {
  readonly name: string
  readonly to: Matrix | IndexMatrix
}

function valueOf(
  { node, learned, weights: shapes }: TensorStep,
  values: ReadonlyMap<string, Matrix | IndexMatrix>,
  weights: ReadonlyMap<string, Weights>,
  layers: InferenceLayers,
): Matrix | null {
  const args = node.args.map((name) => values.get(name)!)
  const numbers = args.filter((arg) => arg.kind === 'matrix')
  if (learned === null) {
    const isPlain = node.transform === 'concat' || node.transform === 'identity'
    return isPlain && numbers.length === args.length ? layers.concat(numbers) : null
  }
  const own = new Map(shapes.map(({ name }) => [name, weights.get(`${node.id}/${name}`)!]))
  return learned.layers?.(args, node.params, own, layers) ?? null
}

/** Runs the steps over pass after pass of the rows. */
function pass(builder: InferenceBuilder, inputs: readonly Input[], results: readonly Matrix[]): Inference {
  const { memory, kernel, run } = builder.finish()
  const width = results.reduce((sum, result) => sum + result.width, 0)
  return {
    predict(columns, picked) {
      const out = new Float32Array(picked.length * width)
      for (let first = 0; first < picked.length; first += passRows) {
        const rows = picked.subarray(first, first + passRows)
        for (const { name, to } of inputs) enter(columns.get(name)!, to, rows, { memory, kernel })
        run(Math.ceil(rows.length / blockRows) * blockRows)
        let place = first * width
        for (const result of results) {
          take(memory, result, rows.length, { out, place, step: width })
          place += result.width
        }
      }
      return out
    },
  }
}

/** Writes the picked rows of a column to its place; missing numbers become 0. */
function enter(
  column: Column,
  to: Matrix | IndexMatrix,
  picked: Int32Array,
  { memory, kernel }: { readonly memory: LinearMemory; readonly kernel: InferenceKernel },
): void {
  const isMatrix = to.kind === 'matrix'
  if (column.kind !== (isMatrix ? 'numbers' : 'indices'))
    throw new TypeError(`a column of ${column.kind} cannot enter a learned transform`)
  const { values } = column
  const width = isMatrix ? to.width : to.hashes
  const step = isMatrix ? to.stride / 4 : to.hashes
  const places = isMatrix
    ? new Float32Array(memory.buffer, to.at, picked.length * step)
    : new Int32Array(memory.buffer, to.at, picked.length * step)
  const isShared = column.rows === 1
  if (!isShared && step === width && isRun(picked)) {
    const start = picked[0]! * width
    places.set(values.subarray(start, start + picked.length * width))
  } else
    for (let row = 0; row < picked.length; row++) {
      const from = isShared ? 0 : picked[row]! * width
      for (let at = 0; at < width; at++) places[row * step + at] = values[from + at]!
    }
  if (isMatrix) kernel.zeroMissing(to.at, picked.length * step)
}

/** Copies the numbers of a result to the rows of `out`, from `place` on. */
function take(
  { buffer }: LinearMemory,
  { at, width, stride }: Matrix,
  rows: number,
  { out, place, step }: { readonly out: Float32Array; readonly place: number; readonly step: number },
): void {
  const values = new Float32Array(buffer, at, (rows * stride) / 4)
  for (let row = 0, from = 0, to = place; row < rows; row++, from += stride / 4, to += step)
    for (let column = 0; column < width; column++) out[to + column] = values[from + column]!
}

/** Whether the rows follow each other. */
function isRun(picked: Int32Array): boolean {
  for (let at = 1; at < picked.length; at++) if (picked[at] !== picked[0]! + at) return false
  return true
}
