import { float32Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import { createFindings, type FeedComparison, type Findings } from './findings.ts'
import { featuresOfRecord } from './logged-features.ts'
import { pageOfRecord, pinsOfRecord } from '@freshet/ranker/attribution/record-page'
import { rescoreRows } from '@freshet/ranker/attribution/rescore'

/** Why a feed is not compared. */
export interface Uncomparable {
  readonly cause: 'no-features' | 'damaged'
  readonly problem: string
}

/**
 * Computes the predictions, utilities and exposed values of a feed again from what it records, and those features that follow from
 * the record, and compares them bit by bit. Throws if the columns of the record do not fit each other.
 */
export function compareFeed(served: FeedServed, model: ServingModel): FeedComparison | Uncomparable {
  const [probabilities, amounts] = [headsOf(model, 'probability'), headsOf(model, 'amount')]
  const problem =
    different('features', served.featureNames.slice(0, model.featureNames.length), model.featureNames) ??
    different('probabilities', served.actions, probabilities.names) ??
    different('amounts', served.amountNames, amounts.names) ??
    different('exposed values', served.exposedNames, model.exposedNames)
  const isBare = served.featureNames.length === 0 && model.featureNames.length > 0
  if (problem !== null) return { cause: isBare ? 'no-features' : 'damaged', problem }
  const page = pageOfRecord(served)
  const rows = page.pinIds.length
  const recorded = {
    features: columnsOf('features', served.features, rows * served.featureNames.length),
    utilities: columnsOf('utilities', served.utilities, rows),
    probabilities: columnsOf('probabilities', served.probabilities, rows * probabilities.names.length),
    amounts: columnsOf('amounts', served.amounts, rows * amounts.names.length),
    exposed: columnsOf('exposed values', served.exposed, rows * served.exposedNames.length),
  }
  const features = firstColumns(recorded.features, served.featureNames.length, model.featureNames.length)
  const computed = rescoreRows(model, page, { features, pins: pinsOfRecord(served) })
  const needed = computed.facts.map(({ name }) => name)
  const facts = different('facts', served.facts.map(({ name }) => name).slice(0, needed.length), needed)
  if (facts !== null) return { cause: 'no-features', problem: facts }
  const found = createFindings(served, cutRows(model, recorded, rows))
  found.compare('utility', whole(recorded.utilities), whole(computed.utilities))
  for (const { names, places, values } of [
    { ...probabilities, values: recorded.probabilities },
    { ...amounts, values: recorded.amounts },
  ])
    for (const [at, name] of names.entries()) {
      const of = { values: computed.predictions, first: places[at]! * rows, step: 1 }
      found.compare(`prediction ${name}`, { values, first: at * rows, step: 1 }, of)
    }
  compareRows(found, 'exposed', { names: model.exposedNames, recorded: recorded.exposed, computed: computed.exposed })
  compareFeatures(found, served, recorded.features)
  return found.result()
}

function compareFeatures(found: Findings, served: FeedServed, recorded: Float32Array): void {
  const { names, values } = featuresOfRecord(pageOfRecord(served), served.featureNames)
  for (const [at, name] of names.entries()) {
    const from = { values: recorded, first: served.featureNames.indexOf(name), step: served.featureNames.length }
    found.compare(`feature ${name}`, from, { values, first: at, step: names.length })
  }
}

/** Compares rows of named numbers. */
function compareRows(
  found: Findings,
  what: string,
  given: { readonly names: readonly string[]; readonly recorded: Float32Array; readonly computed: Float32Array },
): void {
  const step = given.names.length
  for (const [first, name] of given.names.entries())
    found.compare(`${what} ${name}`, { values: given.recorded, first, step }, { values: given.computed, first, step })
}

/** The pins that a first phase left out: all that is predicted of them is exactly 0. */
function cutRows(
  { firstPhaseKeep }: ServingModel,
  { probabilities, amounts }: Readonly<Record<'probabilities' | 'amounts', Float32Array>>,
  rows: number,
): ReadonlySet<number> {
  if (firstPhaseKeep === null) return new Set()
  const isZero = (values: Float32Array, row: number): boolean =>
    values.every((value, at) => at % rows !== row || value === 0)
  return new Set(
    Array.from({ length: rows }, (_, row) => row).filter((row) => isZero(probabilities, row) && isZero(amounts, row)),
  )
}

/** Names of the heads of one kind, and their places among all. */
function headsOf({ heads }: ServingModel, kind: ServingModel['heads'][number]['kind']) {
  const places = [...heads.keys()].filter((place) => heads[place]!.kind === kind)
  return { places, names: places.map((place) => heads[place]!.name) }
}

function different(what: string, recorded: readonly string[], expected: readonly string[]): string | null {
  if (recorded.join() === expected.join()) return null
  const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))
  return `it records the ${what} ${list(recorded)}; its model has ${list(expected)}`
}

/** The features that the model read: those of a newer spec, which a feed may record too, come after them. */
function firstColumns(rows: Float32Array, width: number, count: number): Float32Array {
  return count === width ? rows : rows.filter((_, at) => at % width < count)
}

function columnsOf(what: string, bytes: Uint8Array, expected: number): Float32Array {
  const values = float32Column(bytes)
  if (values.length !== expected) throw new RangeError(`it records ${values.length} ${what}; ${expected} are expected`)
  return values
}

function whole(values: PageScores['utilities']) {
  return { values, first: 0, step: 1 }
}
