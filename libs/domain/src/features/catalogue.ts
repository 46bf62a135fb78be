import { actionCountFeatures } from './action-counts.ts'
import { ageFeatures } from './ages.ts'
import { distinctUserFeatures } from './distinct-users.ts'
import type { Feature, FeatureContext, FeaturePage } from './feature.ts'
import { interestFeatures } from './interests.ts'
import { memboostFeatures } from './memboost.ts'
import { pinBoardFeatures } from './pin-boards.ts'
import { recentActionFeatures } from './recent-actions.ts'
import { requestFeatures } from './request.ts'
import { seenFeatures } from './seen.ts'

/** Every feature there is. A name stays what it is: a changed meaning is a new name, since models were trained on the old one. */
export const features: readonly Feature[] = [
  ...requestFeatures,
  ...interestFeatures,
  ...recentActionFeatures,
  ...seenFeatures,
  ...memboostFeatures,
  ...distinctUserFeatures,
  ...pinBoardFeatures,
  ...ageFeatures,
  ...actionCountFeatures,
]

/** A chosen list of features, laid out one after the other. */
export interface FeaturePlan {
  readonly features: readonly Feature[]
  /** Names in the order of the numbers; of a feature of several numbers `name.0`, `name.1`, … */
  readonly names: readonly string[]
  /** Numbers per candidate. */
  readonly width: number
  /** Writes the `width` numbers of one candidate to `out` from `offset`. */
  read(context: FeatureContext, out: Float32Array, offset: number): void
  /** Writes one row of `width` numbers per candidate, each as `read` gives it. */
  readPage(page: FeaturePage, out: Float32Array): void
}

/** Lays out features by name, all of them unless told otherwise. Throws a RangeError that names what does not exist. */
export function planFeatures(names: readonly string[] = features.map(({ name }) => name)): FeaturePlan {
  const chosen = names.map((name) => {
    const feature = features.find((known) => known.name === name)
    if (feature === undefined) throw new RangeError(`there is no feature ${JSON.stringify(name)}`)
    return feature
  })
  const width = chosen.reduce((sum, feature) => sum + feature.width, 0)
  const placed: { readonly feature: Feature; readonly at: number }[] = []
  for (let i = 0, at = 0; i < chosen.length; at += chosen[i++]!.width) placed.push({ feature: chosen[i]!, at })
  const ofRequest = placed.filter(({ feature }) => feature.of === 'request')
  const ofCandidate = placed.filter(({ feature }) => feature.of === 'candidate')
  return {
    features: chosen,
    names: chosen.flatMap(({ name, width: numbers }) =>
      numbers === 1 ? [name] : Array.from({ length: numbers }, (_, index) => `${name}.${index}`),
    ),
    width,
    read(context, out, offset) {
      for (const { feature, at } of placed) feature.read(context, out, offset + at)
    },
    readPage({ pinIds, pins, pinMetas, retrievalScores, ...request }, out) {
      const nobody = { pinId: '', pin: null, pinMeta: null, retrievalScore: null }
      const context: { -readonly [Name in keyof FeatureContext]: FeatureContext[Name] } = { ...request, ...nobody }
      const shared = new Float32Array(width)
      for (const { feature, at } of ofRequest) feature.read(context, shared, at)
      for (let row = 0, offset = 0; row < pinIds.length; row++, offset += width) {
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
