import { z } from 'zod'
import type { Column } from '../../plan/column.ts'
import type { ValueType } from '../../plan/value-type.ts'
import type { FixedTransform, Output, TypeProblem } from '../definition.ts'
import { ChosenCategories } from '../categories.ts'
import { numbersColumn, type Numbers } from '../numbers.ts'
import { asSequences, type Sequences } from '../sequences.ts'
import { checkArguments, elementOf, isNumbers } from '../types.ts'

const params = z.strictObject({ by: z.enum(['mean', 'sum', 'max', 'last']) })
type By = z.output<typeof params>['by']

/** One value for a whole sequence. Elements that are missing do not count; of an empty sequence the result is missing. */
export const pool: FixedTransform<z.output<typeof params>> = {
  gradient: 'fixed',
  name: 'pool',
  summary:
    'The mean, sum or maximum of a sequence of numbers or vectors, number by number; `last` is its newest element, of any type.',
  formula: 'mean, sum or max over t of xₜ, or x₀',
  example: 'feature recent_taste = pool(user.recent_embeddings, by: "mean")',
  params,
  typeOf(args, { by }): ValueType | TypeProblem {
    const problem = checkArguments(args, 'sequence')
    if (problem !== null) return problem
    const element = elementOf(args[0]!)
    if (by === 'last' || isNumbers(element)) return element
    return { problem: `by: "${by}" takes a sequence of numbers or vectors`, arg: 0 }
  },
  evaluate([x], { by }, output) {
    const sequences = asSequences(x)
    const { elements } = sequences
    if (by === 'last') return newest(sequences, output)
    if (elements.kind !== 'numbers') throw new TypeError(`expected numbers, got ${elements.kind}`)
    return pooled(sequences, elements, by, output)
  },
}

function pooled({ rows, offsets }: Sequences, { width, values }: Numbers, by: By, output: Output): Column {
  const to = output.floats(rows * width)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      let count = 0
      let result = by === 'max' ? -Infinity : 0
      for (let at = offsets[row]! * width + column; at < offsets[row + 1]! * width; at += width) {
        const value = values[at]!
        if (Number.isNaN(value)) continue
        count++
        result = by === 'max' ? Math.max(result, value) : result + value
      }
      to[row * width + column] = count === 0 ? NaN : by === 'mean' ? result / count : result
    }
  }
  return numbersColumn(rows, width, to)
}

function newest({ rows, offsets, elements }: Sequences, output: Output): Column {
  if (elements.kind === 'numbers') {
    const { width, values } = elements
    const to = output.floats(rows * width)
    copyFirst(offsets, values, width, to, NaN)
    return numbersColumn(rows, width, to)
  }
  const width = elements.kind === 'indices' ? elements.hashes : 1
  const to = output.ints(rows * width)
  copyFirst(offsets, elements.kind === 'indices' ? elements.values : elements.codes, width, to, -1)
  return elements.kind === 'indices' ? { ...elements, rows, values: to } : new ChosenCategories(elements, to)
}

function copyFirst(
  offsets: Int32Array,
  from: Float32Array | Float64Array | Int32Array,
  width: number,
  to: Float32Array | Int32Array,
  missing: number,
): void {
  for (let row = 0, at = 0; at < to.length; row++) {
    const isEmpty = offsets[row] === offsets[row + 1]
    let source = offsets[row]! * width
    for (const end = at + width; at < end; at++) to[at] = isEmpty ? missing : from[source++]!
  }
}
