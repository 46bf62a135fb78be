import type { InputStatistics } from '@freshet/ranking/artefact/manifest'
import { frequentValue, partEdges, partOf } from '@freshet/ranking/artefact/value-parts'
import { stabilityIndex } from '@freshet/ranking/metrics/stability'

/** One feature in serving, compared with the rows from which its model learned. Shares are in [0, 1]. */
export interface FeatureHealth {
  readonly name: string
  /** Share of rows without a value. */
  readonly missing: number
  /** null: the model does not know the share in training. */
  readonly trainedMissing: number | null
  /** Share of rows with the most frequent value of training; null: no value was frequent. */
  readonly frequent: number | null
  readonly trainedFrequent: number | null
  /** Population stability index; null: the model does not know how the values were distributed. */
  readonly drift: number | null
}

/** Counts rows of features. */
export interface FeatureWindow {
  readonly rows: number
  /** Counts so many rows of all features. */
  add(features: Float32Array, count: number): void
  /** One entry per feature. There must be rows. */
  health(): readonly FeatureHealth[]
}

/** Compared values have at most this many parts: one more than there are quantiles. */
const maxParts = 16
const noEdges = new Float64Array()

/** An empty window over the features with these names. `trained`: what the model knows of them. */
export function createFeatureWindow(
  names: readonly string[],
  trained: ReadonlyMap<string, InputStatistics>,
): FeatureWindow {
  const width = names.length
  const baselines = names.map((name) => trained.get(name) ?? null)
  const edges = baselines.map((baseline) =>
    baseline === null || baseline.partShares.length === 0 ? noEdges : partEdges(baseline.quantiles),
  )
  const frequent = Float64Array.from(baselines, (baseline) => frequentValue(baseline?.quantiles ?? []) ?? NaN)
  const missingRows = new Uint32Array(width)
  const frequentRows = new Uint32Array(width)
  const partRows = new Uint32Array(width * maxParts)
  let rows = 0

  function healthOf(name: string, column: number): FeatureHealth {
    const baseline = baselines[column]!
    const hasFrequent = baseline !== null && !Number.isNaN(frequent[column])
    return {
      name,
      missing: missingRows[column]! / rows,
      trainedMissing: baseline?.missingShare ?? null,
      frequent: hasFrequent ? frequentRows[column]! / rows : null,
      trainedFrequent: hasFrequent ? baseline.mostFrequentShare : null,
      drift: baseline === null ? null : driftOf(column, baseline.partShares),
    }
  }

  function driftOf(column: number, trainedShares: readonly number[]): number | null {
    const present = rows - missingRows[column]!
    if (trainedShares.length !== edges[column]!.length + 1 || present === 0) return null
    const first = column * maxParts
    const counts = partRows.subarray(first, first + trainedShares.length)
    return stabilityIndex(
      trainedShares,
      Float64Array.from(counts, (count) => count / present),
    )
  }

  return {
    get rows() {
      return rows
    },
    add(features, count) {
      rows += count
      for (let row = 0; row < count; row++) {
        for (let column = 0; column < width; column++) {
          const value = features[row * width + column]!
          if (Number.isNaN(value)) {
            missingRows[column]!++
            continue
          }
          if (value === frequent[column]) frequentRows[column]!++
          partRows[column * maxParts + partOf(edges[column]!, value)]!++
        }
      }
    },
    health: () => names.map(healthOf),
  }
}
