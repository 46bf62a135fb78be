import { planFeatures, type FeaturePlan } from '@freshet/ranking/features/plan'
import { readCandidates, type PinFacts } from '@freshet/ranking/features/read-candidates'
import type { RankingPage } from '@freshet/ranking/serving/page'
import { pinFactsOf } from '@freshet/ranking/serving/pin-facts'
import { rowsOfPage } from '@freshet/ranking/serving/page-rows'
import type { ModelSource, PageScores, ReadRows, ServingModel } from '@freshet/ranking/serving/serving-model'

/** What a feed records of the values that were read. */
export interface Recorded extends Pick<ServingModel, 'featureNames'> {
  /** The values of the candidates at these rows; null: of all. */
  read(rows: Int32Array | null): ReadRows
}

/**
 * Reads for the record what the spec in its file names and the model that serves does not read. So a changed spec can be learned
 * from feeds that a model of the spec before it ranks.
 */
export interface SpecFeatures {
  /** Takes a spec. Throws what its `build` throws. */
  take(source: ModelSource): Promise<void>
  /** What the model read, and after it what the spec adds. */
  record(model: ServingModel, scores: PageScores, page: RankingPage, views: PinFacts): Recorded
}

/** Starts with the spec of the built-in model. */
export function createSpecFeatures(builtIn: Pick<ServingModel, 'featureNames' | 'pinInputs'>): SpecFeatures {
  let spec = builtIn
  /** By model, so that the names are compared once. */
  let missing = new WeakMap<ServingModel, Missing>()

  function missingIn(model: ServingModel): Missing {
    const known = missing.get(model)
    if (known !== undefined) return known
    const features = planFeatures(spec.featureNames.filter((name) => !model.featureNames.includes(name)))
    const inputs = spec.pinInputs.filter(({ name }) => !model.pinInputs.some((input) => input.name === name))
    const found = { features, inputs }
    missing.set(model, found)
    return found
  }

  return {
    async take(source) {
      const model = await source.build()
      spec = { featureNames: model.featureNames, pinInputs: model.pinInputs }
      missing = new WeakMap()
      model.dispose()
    },
    record(model, scores, page, views) {
      const { features: plan, inputs } = missingIn(model)
      const ofModel = (rows: Int32Array | null): ReadRows => (rows === null ? scores : scores.readRows(rows))
      if (plan.width === 0 && inputs.length === 0) return { featureNames: model.featureNames, read: ofModel }
      return {
        featureNames: [...model.featureNames, ...plan.names],
        read(rows) {
          const { features, facts } = ofModel(rows)
          const more = readCandidates(plan, rows === null ? page : rowsOfPage(page, rows), views)
          return {
            features: sideBySide(more.pins.length, features, more.features),
            facts: [...facts, ...pinFactsOf(inputs, more.pins)],
          }
        },
      }
    },
  }
}

interface Missing {
  readonly features: FeaturePlan
  readonly inputs: ServingModel['pinInputs']
}

/** Rows of the first matrix, each followed by the row of the second. */
function sideBySide(rows: number, first: Float32Array, second: Float32Array): Float32Array {
  if (second.length === 0) return first
  const [a, b] = [first.length / rows, second.length / rows]
  const out = new Float32Array(first.length + second.length)
  for (let row = 0; row < rows; row++) {
    out.set(first.subarray(row * a, (row + 1) * a), row * (a + b))
    out.set(second.subarray(row * b, (row + 1) * b), row * (a + b) + a)
  }
  return out
}
