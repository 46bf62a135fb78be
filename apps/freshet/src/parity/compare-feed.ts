import { float32Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'
import { featuresOfRecord } from './logged-features.ts'
import { pageOfRecord } from './record-page.ts'

/** A recorded number that another one was computed for. */
export interface Difference {
  readonly feedId: string
  readonly pinId: string
  /** `utility`, `prediction HEAD` or `feature NAME`. */
  readonly number: string
  readonly recorded: number
  readonly computed: number
}

/** What a comparison found. */
export interface FeedComparison {
  /** Pins of the feed. */
  readonly rows: number
  /** Pins with at least one number that differs. */
  readonly differingRows: number
  /** Numbers that were computed again. */
  readonly numbers: number
  /** At most `maxDifferences`. */
  readonly differences: readonly Difference[]
}

/** Why a feed is not compared. */
export interface Uncomparable {
  readonly problem: string
}

const maxDifferences = 20

/**
 * Computes the predictions and utilities of a feed again from its recorded features, and those features that follow from the
 * record, and compares them bit by bit. Throws if the columns of the record do not fit each other.
 */
export function compareFeed(served: FeedServed, model: ServingModel): FeedComparison | Uncomparable {
  const { featureNames, actions, pinIds } = served
  const rows = pinIds.length
  const heads = model.heads.map(({ name }) => name)
  if (featureNames.join() !== model.featureNames.join())
    return {
      problem: `it records the features ${featureNames.join(', ')}; its model reads ${model.featureNames.join(', ')}`,
    }
  if (actions.join() !== heads.join())
    return { problem: `it records predictions of ${actions.join(', ')}; its model predicts ${heads.join(', ')}` }
  const page = pageOfRecord(served)
  const features = float32Column(served.features)
  if (features.length !== rows * featureNames.length)
    return {
      problem: `it records ${features.length} features of ${rows} pins; ${featureNames.length} each are expected`,
    }
  const { utilities, predictions } = model.rescore(page, { features, pins: pinIds.map(() => null) })
  const found = createFindings(served)
  found.compare(float32Column(served.utilities), utilities, { rows, nameOf: () => 'utility' })
  const predicted = { rows, nameOf: (column: number) => `prediction ${heads[column]!}` }
  found.compare(float32Column(served.probabilities), predictions, predicted)
  const derived = featuresOfRecord(page, featureNames)
  for (const [column, name] of derived.names.entries()) {
    const pick = (from: Float32Array, width: number, place: number): Float32Array =>
      Float32Array.from({ length: rows }, (_, row) => from[row * width + place]!)
    const recorded = pick(features, featureNames.length, featureNames.indexOf(name))
    const computed = pick(derived.values, derived.names.length, column)
    found.compare(recorded, computed, { rows, nameOf: () => `feature ${name}` })
  }
  return found.result()
}

interface Columns {
  readonly rows: number
  readonly nameOf: (column: number) => string
}

function createFindings({ feedId, pinIds }: FeedServed) {
  const differing = new Set<number>()
  const differences: Difference[] = []
  let numbers = 0
  return {
    /** Compares columns of `rows` numbers each, one after the other. */
    compare(recorded: Float32Array, computed: Float32Array, { rows, nameOf }: Columns): void {
      if (recorded.length !== computed.length)
        throw new RangeError(`it records ${recorded.length} numbers where ${computed.length} are expected`)
      const [before, now] = [bitsOf(recorded), bitsOf(computed)]
      numbers += now.length
      for (let at = 0; at < now.length; at++) {
        if (before[at] === now[at]) continue
        const row = at % rows
        differing.add(row)
        if (differences.length === maxDifferences) continue
        const number = nameOf(Math.floor(at / rows))
        differences.push({ feedId, pinId: pinIds[row]!, number, recorded: recorded[at]!, computed: computed[at]! })
      }
    },
    result: (): FeedComparison => ({ rows: pinIds.length, differingRows: differing.size, numbers, differences }),
  }
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length)
}
