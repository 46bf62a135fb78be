import { mulberry32 } from '@freshet/domain/mulberry32'
import { z } from 'zod'
import type { FittedTransform } from '../definition.ts'
import { clusterCentres, nearestCentre } from '../k-means.ts'
import { asNumbers } from '../numbers.ts'
import { checkArguments, widthOf } from '../types.ts'

const params = z.strictObject({
  levels: z.int().min(1).max(16).default(4),
  codes: z.int().min(2).max(4_096).default(256),
})
const state = z.strictObject({ levels: z.array(z.array(z.array(z.number()))) })
type State = z.output<typeof state>

/** Vectors that k-means looks at; more do not move the centres much. */
const mostVectors = 20_000

/**
 * Codes of an embedding by residual quantisation: each level has the nearest of its centres, and the next level quantises what
 * is left. Embeddings that are alike share their first codes, so pins without history share rows with pins that have one
 * (X 2026, "semantic ids"; residual quantisation: Chen, Guan, Wang 2010). The centres of a level are found by k-means.
 */
export const semanticIds: FittedTransform<z.output<typeof params>, State> = {
  gradient: 'fitted',
  name: 'semantic_ids',
  summary:
    'A row of a table for each level of a residual quantisation of a vector; an embedding of it is the sum of the rows.',
  formula: 'cₗ = argmin over c of |rₗ − centreₗ꜀|, rₗ₊₁ = rₗ − centreₗ꜀; row l · codes + cₗ',
  example: 'feature content = embedding(semantic_ids(pin.embedding, levels: 3, codes: 64), size: 16)',
  params,
  state,
  typeOf: (args, { levels, codes }) =>
    checkArguments(args, 'vector') ?? { kind: 'index', rows: levels * codes, hashes: levels },
  multiplyAdds: ([x], { levels, codes }) => levels * codes * widthOf(x!),
  stateProblem({ levels }, [x], params) {
    const width = widthOf(x!)
    if (levels.length !== params.levels) return `have ${levels.length} levels; the plan has ${params.levels}`
    const fits = levels.every(
      (centres) => centres.length <= params.codes && centres.every(({ length }) => length === width),
    )
    return fits ? null : `have other centres than ${params.codes} of ${width} numbers`
  },
  fit([x], { levels, codes }, { seed }) {
    const { width, values, rows } = asNumbers(x)
    const random = mulberry32(seed)
    const residuals = completeRows(values, rows, width, random)
    const found: number[][][] = []
    for (let level = 0; level < levels; level++) {
      const centres = clusterCentres(residuals, width, codes, random)
      for (let at = 0; at < residuals.length; at += width) subtractNearest(residuals, at, width, centres)
      found.push(
        Array.from({ length: centres.length / width }, (_, c) => [...centres.subarray(c * width, (c + 1) * width)]),
      )
    }
    return { levels: found }
  },
  evaluate([x], { levels, codes }, output, given) {
    const { width, values, rows } = asNumbers(x)
    const centres = flatCentres(given)
    const to = output.ints(rows * levels)
    const residual = output.doubles(width)
    for (let row = 0; row < rows; row++) {
      let isMissing = false
      for (let at = 0; at < width; at++) {
        residual[at] = values[row * width + at]!
        isMissing ||= Number.isNaN(residual[at])
      }
      for (let level = 0; level < levels; level++) {
        const code = isMissing ? -1 : subtractNearest(residual, 0, width, centres[level]!)
        to[row * levels + level] = code < 0 ? -1 : level * codes + code
      }
    }
    return { kind: 'indices', rows, hashes: levels, values: to }
  },
}

/** Subtracts the nearest centre from the vector at `at`. Returns its number; −1: there are no centres. */
function subtractNearest(vectors: Float64Array, at: number, width: number, centres: Float64Array): number {
  const code = nearestCentre(vectors, at, width, centres)
  if (code >= 0) for (let column = 0; column < width; column++) vectors[at + column]! -= centres[code * width + column]!
  return code
}

/** At most `mostVectors` rows without a missing number, drawn without replacement. */
function completeRows(values: ArrayLike<number>, rows: number, width: number, random: () => number): Float64Array {
  const complete: number[] = []
  for (let row = 0; row < rows; row++) {
    let at = row * width
    while (at < (row + 1) * width && !Number.isNaN(values[at])) at++
    if (at === (row + 1) * width) complete.push(row)
  }
  const count = Math.min(mostVectors, complete.length)
  const drawn = new Float64Array(count * width)
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random() * (complete.length - at))
    ;[complete[at], complete[other]] = [complete[other]!, complete[at]!]
    for (let column = 0; column < width; column++) drawn[at * width + column] = values[complete[at]! * width + column]!
  }
  return drawn
}

const flat = new WeakMap<State, readonly Float64Array[]>()

function flatCentres(given: State): readonly Float64Array[] {
  const centres = flat.get(given) ?? given.levels.map((level) => Float64Array.from(level.flat()))
  flat.set(given, centres)
  return centres
}
