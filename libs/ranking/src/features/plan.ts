import type { Feature } from '@freshet/domain/features/feature'
import { nearest } from '@freshet/domain/nearest'
import { features } from './catalogue.ts'
import type { FeaturePage } from './context.ts'

/** A list of chosen features and their layout in a row of numbers. */
export interface FeaturePlan {
  readonly features: readonly Feature<FeaturePage>[]
  /** Names in the order of the numbers; a feature of several numbers has `name.0`, `name.1`, … */
  readonly names: readonly string[]
  /** Numbers per candidate. */
  readonly width: number
  /** The place of the first number of a feature in a row. Throws a RangeError if the plan does not have the feature. */
  offsetOf(name: string): number
  /** Writes one row of `width` numbers per candidate. A row does not depend on the other candidates. */
  readPage(page: FeaturePage, out: Float32Array): void
}

/** A feature, and the index of its first number in a row. */
interface Placed {
  readonly feature: Feature<FeaturePage>
  readonly at: number
}

/** Lays out the features with these names, by default all. Throws a RangeError that lists unknown names. */
export function planFeatures(names: readonly string[] = features.map(({ name }) => name)): FeaturePlan {
  const chosen = chooseFeatures(names)
  const placed: Placed[] = []
  let width = 0
  for (const feature of chosen) {
    placed.push({ feature, at: width })
    width += feature.width
  }
  const widest = Math.max(0, ...chosen.map((feature) => feature.width))
  return {
    features: chosen,
    names: chosen.flatMap(columnNames),
    width,
    offsetOf(name) {
      const found = placed.find(({ feature }) => feature.name === name)
      if (found === undefined) throw new RangeError(`the plan does not have the feature ${JSON.stringify(name)}`)
      return found.at
    },
    readPage(page, out) {
      const rows = page.pinIds.length
      const columns = new Float64Array(rows * widest)
      for (const { feature, at } of placed) {
        const values = columns.subarray(0, feature.of === 'request' ? feature.width : rows * feature.width)
        feature.read(page, values)
        place(values, feature, { out, at, width, rows })
      }
    },
  }
}

/** Rows of `width` numbers, and where a feature's numbers begin in each. */
interface Rows {
  readonly out: Float32Array
  readonly at: number
  readonly width: number
  readonly rows: number
}

/** Copies what a feature has read into its place in each row; a number that is not finite becomes the missing value. */
function place(values: Float64Array, feature: Feature<FeaturePage>, { out, at, width, rows }: Rows): void {
  const { missing } = feature
  const step = feature.of === 'request' ? 0 : feature.width
  for (let number = 0; number < feature.width; number++)
    for (let row = 0, from = number, to = at + number; row < rows; row++, from += step, to += width) {
      const value = values[from]!
      out[to] = Number.isFinite(value) ? value : missing
    }
}

function chooseFeatures(names: readonly string[]): readonly Feature<FeaturePage>[] {
  const known = new Map(features.map((feature) => [feature.name, feature]))
  const chosen: Feature<FeaturePage>[] = []
  const problems: string[] = []
  for (const name of names) {
    const feature = known.get(name)
    if (feature !== undefined) chosen.push(feature)
    else {
      const near = nearest(name, [...known.keys()])
      problems.push(`there is no feature ${JSON.stringify(name)}${near === null ? '' : `; did you mean "${near}"?`}`)
    }
  }
  if (problems.length > 0) throw new RangeError(problems.join('\n'))
  return chosen
}

function columnNames({ name, width }: Feature<FeaturePage>): readonly string[] {
  return width === 1 ? [name] : Array.from({ length: width }, (_, index) => `${name}.${index}`)
}
