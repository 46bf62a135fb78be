import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { AttributeResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Pin } from '@freshet/domain/pin'
import { planFeatures } from '@freshet/ranking/features/plan'
import type { RankingPage } from '@freshet/ranking/serving/page'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import { invalid } from '../invalid.ts'
import { pageOfRecord, pinsOfRecord } from './record-page.ts'
import { rescoreRows } from './rescore.ts'

/** How contributions are computed, in words. */
const attributionMethod =
  'ablation: the model scores again with one feature at its reference value (its mean in training, else its missing value); on the scale of the logit, or of the amount. In a head that is a sum over features, this is weight × (value − reference)'

/** Predictions are held this far from 0 and 1, where the logit has no value. */
const leastProbability = 1e-7

/**
 * What each feature contributed to the scores of pins of a served feed, by ablation (see `attributionMethod`). Nothing about the
 * user or the pins is read again: the features are those of the record. Throws CALL_INVALID_ARGUMENT if a pin is not on the page.
 * `problem` of the answer says why the record does not suffice.
 */
export function attributeScores(served: FeedServed, pinIds: readonly string[], model: ServingModel): AttributeResponse {
  const rows = pinIds.map((pinId, at) => {
    const row = served.pinIds.indexOf(pinId)
    if (row === -1) throw invalid(`pin_ids[${at}]`, `is ${JSON.stringify(pinId)}, which is not on the page`)
    return row
  })
  const problem = whyNot(served, model)
  if (problem !== null) return noContributions(problem)
  const recorded = recordOf(served, model)
  const names = [...model.featureNames, ...model.pinInputs.map(({ name }) => name)]
  const actual = scoresOf(recorded, model, rows)
  const without = names.map((_, at) =>
    scoresOf(
      ablated(recorded, model, (column) => column === at),
      model,
      rows,
    ),
  )
  const base = scoresOf(
    ablated(recorded, model, () => true),
    model,
    rows,
  )
  const differences = (of: (scores: RowScores) => Float64Array, at: number): number[] =>
    without.map((scores) => of(actual)[at]! - of(scores)[at]!)
  return {
    method: attributionMethod,
    problem: '',
    heads: model.heads.map(({ name }) => name),
    featureNames: names,
    contributions: doubles(Array.from(actual.logits, (_, at) => differences(({ logits }) => logits, at)).flat()),
    bases: doubles(base.logits),
    scores: doubles(actual.logits),
    utilityContributions: doubles(rows.flatMap((_, at) => differences(({ utilities }) => utilities, at))),
    utilityParts: doubles(utilityParts(recorded, model, rows)),
  }
}

/** An answer without contributions. */
export function noContributions(problem: string): AttributeResponse {
  const none = new Uint8Array()
  return {
    ...{ method: '', problem, heads: [], featureNames: [], contributions: none, bases: none },
    ...{ scores: none, utilityContributions: none, utilityParts: none },
  }
}

/** What a record says about the pins of a page. */
interface Recorded {
  readonly page: RankingPage
  /** One row of the model's features per pin. */
  readonly features: Float32Array
  readonly pins: readonly Pin[]
}

/** Scores of some pins. */
interface RowScores {
  /** For each pin, for each head: the logit of the probability, or the amount. */
  readonly logits: Float64Array
  readonly utilities: Float64Array
}

function whyNot(served: FeedServed, model: ServingModel): string | null {
  if (model.heads.length === 0) return `the model ${model.version} predicts nothing`
  const { featureNames } = model
  if (served.featureNames.slice(0, featureNames.length).join('\n') === featureNames.join('\n')) return null
  return served.featureNames.length === 0
    ? 'the record has no features (blender.recordFeatures is off)'
    : `the record has other features than the model ${model.version} reads`
}

function recordOf(served: FeedServed, { featureNames }: ServingModel): Recorded {
  const width = served.featureNames.length
  const all = float32Column(served.features)
  const features = width === featureNames.length ? all : all.filter((_, at) => at % width < featureNames.length)
  return { page: pageOfRecord(served), features, pins: pinsOfRecord(served) }
}

/** The record with reference values in the columns that `isAblated` selects: features first, then facts. */
function ablated(recorded: Recorded, model: ServingModel, isAblated: (column: number) => boolean): Recorded {
  const { featureNames, pinInputs } = model
  const width = featureNames.length
  const references = referencesOf(model)
  const features = recorded.features.map((value, at) => (isAblated(at % width) ? references[at % width]! : value))
  const isFactAblated = (fact: string): boolean =>
    pinInputs.some(({ name }, at) => name === fact && isAblated(width + at))
  const pins = recorded.pins.map((pin) => ({
    ...pin,
    ...(isFactAblated('pin.creator') && { creatorId: null }),
    ...(isFactAblated('pin.topics') && { topics: [] }),
  }))
  return { ...recorded, features, pins }
}

/** The reference value of each feature: its mean in training, else its missing value. */
function referencesOf({ featureNames, trained }: ServingModel): Float32Array {
  const plan = planFeatures([...new Set(featureNames.map((name) => name.replace(/\.\d+$/, '')))].filter(isFeature))
  const missing = new Map(plan.features.map((feature) => [feature.name, feature.missing]))
  return Float32Array.from(
    featureNames,
    (name) => trained.get(name)?.mean ?? missing.get(name) ?? missing.get(name.replace(/\.\d+$/, '')) ?? 0,
  )
}

const known: ReadonlySet<string> = new Set(planFeatures().features.map(({ name }) => name))

function isFeature(name: string): boolean {
  return known.has(name)
}

function scoresOf({ page, features, pins }: Recorded, model: ServingModel, rows: readonly number[]): RowScores {
  const scores = rescoreRows(model, page, { features, pins })
  return {
    logits: Float64Array.from(rows.flatMap((row) => logitsOf(scores, model, { row, rows: page.pinIds.length }))),
    utilities: Float64Array.from(rows, (row) => scores.utilities[row]!),
  }
}

function logitsOf(
  { predictions }: PageScores,
  { heads }: ServingModel,
  { row, rows }: { readonly row: number; readonly rows: number },
): number[] {
  return heads.map(({ kind }, head) => {
    const value = predictions[head * rows + row]!
    if (kind === 'amount') return value
    const p = Math.min(1 - leastProbability, Math.max(leastProbability, value))
    return Math.log(p / (1 - p))
  })
}

/** The part of each head in the utility, which is a sum over heads: what the utility gains if the factor of the head is one more. */
function utilityParts(recorded: Recorded, model: ServingModel, rows: readonly number[]): number[] {
  const factors = recorded.page.headFactors ?? new Map<string, number>()
  const before = scoresOf(recorded, model, rows).utilities
  const gains = model.heads.map(({ name }) => {
    const factor = factors.get(name) ?? 1
    const page = { ...recorded.page, headFactors: new Map([...factors, [name, factor + 1]]) }
    const after = scoresOf({ ...recorded, page }, model, rows).utilities
    return after.map((utility, at) => (utility - before[at]!) * factor)
  })
  return rows.flatMap((_, at) => gains.map((gain) => gain[at]!))
}

function doubles(values: ArrayLike<number>): Uint8Array {
  return bytesOf(Float64Array.from(values))
}
