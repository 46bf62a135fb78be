import type { Feature } from '@freshet/domain/features/feature'
import { nearest } from '@freshet/domain/nearest'
import { features } from './catalogue.ts'
import type { FeatureContext, FeaturePage } from './context.ts'

/** A list of chosen features and their layout in a row of numbers. */
export interface FeaturePlan {
  readonly features: readonly Feature<FeatureContext>[]
  /** Names in the order of the numbers; a feature of several numbers has `name.0`, `name.1`, … */
  readonly names: readonly string[]
  /** Numbers per candidate. */
  readonly width: number
  /** The place of the first number of a feature in a row. Throws a RangeError if the plan does not have the feature. */
  offsetOf(name: string): number
  /** Writes the `width` numbers of one candidate to `out` from `offset`. */
  read(context: FeatureContext, out: Float32Array, offset: number): void
  /** Writes one row of `width` numbers per candidate, each as `read` gives it. */
  readPage(page: FeaturePage, out: Float32Array): void
}

/** A feature, and the index of its first number in a row. */
interface Placed {
  readonly feature: Feature<FeatureContext>
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
  const ofRequest = placed.filter(({ feature }) => feature.of === 'request')
  const ofCandidate = placed.filter(({ feature }) => feature.of === 'candidate')
  return {
    features: chosen,
    names: chosen.flatMap(columnNames),
    width,
    offsetOf(name) {
      const found = placed.find(({ feature }) => feature.name === name)
      if (found === undefined) throw new RangeError(`the plan does not have the feature ${JSON.stringify(name)}`)
      return found.at
    },
    read(context, out, offset) {
      for (const { feature, at } of placed) feature.read(context, out, offset + at)
    },
    readPage({ pinIds, pins, pinMetas, retrievalScores, ...request }, out) {
      const noCandidate = { pinId: '', pin: null, pinMeta: null, retrievalScore: null, row: 0 }
      const context: { -readonly [Name in keyof FeatureContext]: FeatureContext[Name] } = { ...request, ...noCandidate }
      const shared = new Float32Array(width)
      for (const { feature, at } of ofRequest) feature.read(context, shared, at)
      for (let row = 0, offset = 0; row < pinIds.length; row++, offset += width) {
        context.row = row
        context.pinId = pinIds[row]!
        context.pin = pins[row]!
        context.pinMeta = pinMetas[row]!
        context.retrievalScore = retrievalScores[row]!
        if (ofRequest.length > 0) out.set(shared, offset)
        for (let i = 0; i < ofCandidate.length; i++) {
          const { feature, at } = ofCandidate[i]!
          feature.read(context, out, offset + at)
        }
      }
    },
  }
}

function chooseFeatures(names: readonly string[]): readonly Feature<FeatureContext>[] {
  const known = new Map(features.map((feature) => [feature.name, feature]))
  const chosen: Feature<FeatureContext>[] = []
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

function columnNames({ name, width }: Feature<FeatureContext>): readonly string[] {
  return width === 1 ? [name] : Array.from({ length: width }, (_, index) => `${name}.${index}`)
}
