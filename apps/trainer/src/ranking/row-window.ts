import type { LabelledRows } from '@freshet/ranking/logistic/table'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'

/** The newest rows in memory, each once with its last correction. */
export interface RowWindow {
  add(batch: RowBatch): void
  /** Number of rows that can train. */
  readonly size: number
  /** Rows added or corrected since the last call of `read`. */
  readonly fresh: number
  /** The rows that have all of these features, oldest first, with the labels of these actions. */
  read(features: readonly string[], actions: readonly string[]): TimedRows
}

/** Rows for training with the times at which their feeds were served, ascending. */
export interface TimedRows extends LabelledRows {
  readonly atMs: Float64Array
  /** Rows of the window that lack a feature, or whose pin nobody looked at. */
  readonly leftOut: number
}

interface Place {
  readonly batch: RowBatch
  readonly row: number
}

/** Weights by propensity are at most this, so that one lucky draw does not decide. */
const maxPropensityWeight = 5

/** A window of at most `maxRows` rows. */
export function createRowWindow(maxRows: number): RowWindow {
  // In the order of arrival; a correction takes the newest place.
  const places = new Map<string, Place>()
  let fresh = 0
  return {
    get size() {
      return places.size
    },
    get fresh() {
      return fresh
    },
    add(batch) {
      for (let row = 0; row < batch.rows; row++) {
        if (batch.shown[row] !== 1) continue
        const key = `${batch.feedIds[row]} ${batch.pinIds[row]}`
        const known = places.get(key)
        if (known !== undefined) {
          const [before, now] = [known.batch.revision[known.row]!, batch.revision[row]!]
          if (before > now || (before === now && known.batch !== batch)) continue
          places.delete(key)
        }
        places.set(key, { batch, row })
        fresh++
      }
      for (const key of places.keys()) {
        if (places.size <= maxRows) break
        places.delete(key)
      }
    },
    read(features, actions) {
      fresh = 0
      const all = [...places.values()].sort((a, b) => a.batch.atMs[a.row]! - b.batch.atMs[b.row]!)
      const reportsLooks = all.some(({ batch, row }) => batch.labels['impression']?.[row] === 1)
      const layouts = new Map<RowBatch, Int32Array | null>()
      const usable = all.filter((place) => {
        const columns = layouts.get(place.batch) ?? columnsOf(place.batch, features)
        layouts.set(place.batch, columns)
        return columns !== null && hasFeatures(place, columns) && (!reportsLooks || wasSeen(place))
      })
      return { ...gather(usable, layouts, actions), leftOut: all.length - usable.length }
    },
  }
}

/** Places of the features in a batch; null: it lacks one. */
function columnsOf({ featureNames }: RowBatch, features: readonly string[]): Int32Array | null {
  const columns = Int32Array.from(features, (name) => featureNames.indexOf(name))
  return columns.includes(-1) ? null : columns
}

function hasFeatures({ batch, row }: Place, columns: Int32Array): boolean {
  const offset = row * batch.featureNames.length
  return columns.every((column) => Number.isFinite(batch.features[offset + column]!))
}

/** Whether the user looked at the pin: an impression, or any action on it. */
function wasSeen({ batch, row }: Place): boolean {
  return Object.values(batch.labels).some((column) => column instanceof Uint8Array && column[row] === 1)
}

function gather(
  places: readonly Place[],
  layouts: ReadonlyMap<RowBatch, Int32Array | null>,
  actions: readonly string[],
): Omit<TimedRows, 'leftOut'> {
  const rows = places.length
  const width = places[0] === undefined ? 0 : layouts.get(places[0].batch)!.length
  const features = new Float32Array(rows * width)
  const position = new Float32Array(rows)
  const weights = new Float32Array(rows)
  const atMs = new Float64Array(rows)
  const labels = new Map(actions.map((action) => [action, new Float32Array(rows)]))
  for (const [at, { batch, row }] of places.entries()) {
    const columns = layouts.get(batch)!
    const offset = row * batch.featureNames.length
    for (let j = 0; j < width; j++) features[at * width + j] = batch.features[offset + columns[j]!]!
    position[at] = batch.position[row]!
    weights[at] = batch.weight[row]! * propensityWeight(batch.propensity[row]!)
    atMs[at] = batch.atMs[row]!
    for (const [action, column] of labels) column[at] = batch.labels[action]?.[row] ?? NaN
  }
  return { rows, features, position, weights, atMs, labels }
}

/** 1 / propensity, bounded; 1 where the order was not drawn. */
function propensityWeight(propensity: number): number {
  return propensity > 0 ? Math.min(maxPropensityWeight, 1 / propensity) : 1
}

/** The rows in [from, to). */
export function sliceRows(rows: TimedRows, from: number, to: number): TimedRows {
  const width = rows.rows === 0 ? 0 : rows.features.length / rows.rows
  return {
    ...rows,
    rows: to - from,
    features: rows.features.subarray(from * width, to * width),
    position: rows.position.subarray(from, to),
    weights: rows.weights.subarray(from, to),
    atMs: rows.atMs.subarray(from, to),
    labels: new Map([...rows.labels].map(([action, column]) => [action, column.subarray(from, to)])),
  }
}

/**
 * Where the rows begin on which a model is judged: those after `seenMs`, which the serving model has not learned from, but at most
 * half of all. null: nothing comparable serves, so the latest `share`. Rows of one moment stay together.
 */
export function splitAt({ rows, atMs }: TimedRows, share: number, seenMs: number | null): number {
  const unseen = seenMs === null ? Math.floor(rows * (1 - share)) : atMs.findIndex((time) => time > seenMs)
  let at = unseen < 0 ? rows : Math.max(unseen, Math.floor(rows / 2))
  while (at > 0 && atMs[at] === atMs[at - 1]) at--
  return at
}
