import { actionCountFeatures } from './action-counts.ts'
import { ageFeatures } from './ages.ts'
import { distinctUserFeatures } from './distinct-users.ts'
import type { Feature, FeatureContext } from './feature.ts'
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
}

/** Lays out features by name, all of them unless told otherwise. Throws a RangeError that names what does not exist. */
export function planFeatures(names: readonly string[] = features.map(({ name }) => name)): FeaturePlan {
  const chosen = names.map((name) => {
    const feature = features.find((known) => known.name === name)
    if (feature === undefined) throw new RangeError(`there is no feature ${JSON.stringify(name)}`)
    return feature
  })
  const width = chosen.reduce((sum, feature) => sum + feature.width, 0)
  return {
    features: chosen,
    names: chosen.flatMap(({ name, width: numbers }) =>
      numbers === 1 ? [name] : Array.from({ length: numbers }, (_, index) => `${name}.${index}`),
    ),
    width,
    read(context, out, offset) {
      let at = offset
      for (const feature of chosen) {
        feature.read(context, out, at)
        at += feature.width
      }
    },
  }
}
