/** Columns of numbers, one value per row. */
const numberColumns = {
  atMs: Float64Array,
  position: Uint16Array,
  shown: Uint8Array,
  revision: Uint8Array,
  weight: Float32Array,
  logOdds: Float32Array,
  propensity: Float32Array,
  retrievalRank: Float32Array,
  retrievalScore: Float32Array,
} as const
type NumberColumn = keyof typeof numberColumns

/** Columns of texts, one text per row; '' is "not known". */
export const textColumns = [
  'feedIds',
  'userIds',
  'pinIds',
  'creatorIds',
  'surfaces',
  'locales',
  'modelVersions',
  'planVersions',
] as const
type TextColumn = (typeof textColumns)[number]

/** A column of labels: 0 or 1 for an action, a number (NaN: not known) for an amount. */
export type LabelColumn = Uint8Array | Float32Array

/**
 * Rows for training, in columns of `rows` values. A row is one pin of one served feed with what the user did. Numbers are as
 * served: nothing was computed again.
 */
export interface RowBatch extends Readonly<Record<TextColumn, readonly string[]>> {
  readonly rows: number
  /** Names of the columns of `features`. */
  readonly featureNames: readonly string[]
  /** rows × featureNames, row by row, as the ranker used them. NaN: not recorded (not ranked, or not shown). */
  readonly features: Float32Array
  /** Names of the columns of `sourceRanks` and `sourceScores`. */
  readonly sourceNames: readonly string[]
  /** rows × sourceNames, 0 = best; NaN: the source did not find the pin. */
  readonly sourceRanks: Float32Array
  /** rows × sourceNames; NaN: the source did not find the pin. */
  readonly sourceScores: Float32Array
  /** What the user did, by action; `impression`: the pin was looked at. `dwellSeconds` is an amount. */
  readonly labels: Readonly<Record<string, LabelColumn>>
  /** When the feed was asked for, milliseconds since the epoch. */
  readonly atMs: Float64Array
  /** Position in the whole feed, 0 = first; `noPosition` for a candidate that was not shown. */
  readonly position: Uint16Array
  /** 1: shown. 0: a sampled candidate that was not shown, which must never count as a negative. */
  readonly shown: Uint8Array
  /** 0: the row as the window closed; n: its nth correction, which takes the row's place. */
  readonly revision: Uint8Array
  /** How many rows this row stands for: 1 / rate for a sampled negative, otherwise 1. For an unshown candidate: 1 / probability of its sample. */
  readonly weight: Float32Array
  /** ln(rate) of the sampling of negatives. A model that learns without `weight` adds this to its logit. */
  readonly logOdds: Float32Array
  /** Probability that the ordering stage put the pin at its position. */
  readonly propensity: Float32Array
  /** Rank among all candidates, 0 = best; NaN: not recorded. */
  readonly retrievalRank: Float32Array
  /** The merged retrieval score; NaN: not recorded. */
  readonly retrievalScore: Float32Array
  /** Topics of the pin as the ranker used them, else when the row was written. */
  readonly topics: readonly (readonly string[])[]
}

/** `position` of a candidate that was not shown. */
export const noPosition = 0xffff

/** Names of all columns of numbers. */
export const numberColumnNames = Object.keys(numberColumns) as readonly NumberColumn[]

/** A column of `rows` zeros with the type of this column. */
export function emptyColumn(name: NumberColumn, rows: number): Float64Array | Float32Array | Uint16Array | Uint8Array {
  return new numberColumns[name](rows)
}

/** All columns of numbers, each made by its name. The maker has to give the type of `emptyColumn`. */
export function numbersBy(make: (name: NumberColumn) => ReturnType<typeof emptyColumn>): Pick<RowBatch, NumberColumn> {
  return Object.fromEntries(numberColumnNames.map((name) => [name, make(name)])) as unknown as Pick<
    RowBatch,
    NumberColumn
  >
}

/** All columns of texts, each made by its name. */
export function textsBy(make: (name: TextColumn) => readonly string[]): Pick<RowBatch, TextColumn> {
  return Object.fromEntries(textColumns.map((name) => [name, make(name)])) as unknown as Pick<RowBatch, TextColumn>
}

/** Batches with equal layouts can be joined: the same features, sources and labels. */
export function layoutOf(batch: Pick<RowBatch, 'featureNames' | 'sourceNames' | 'labels'>): string {
  return JSON.stringify([batch.featureNames, batch.sourceNames, labelKinds(batch.labels)])
}

function labelKinds(labels: RowBatch['labels']): readonly string[] {
  return Object.entries(labels).map(([name, column]) => `${name} ${column instanceof Uint8Array ? 'u8' : 'f32'}`)
}

/** Part of a batch: these rows, or (null) all. */
export interface RowsPart {
  readonly batch: RowBatch
  readonly rows: Int32Array | null
}

/** Joins parts of batches of one layout, in order, as one batch with columns of its own. There must be a part. */
export function joinRows(parts: readonly RowsPart[]): RowBatch {
  const [first] = parts
  if (first === undefined) throw new RangeError('there are no rows to join')
  if (parts.length === 1 && first.rows === null) return first.batch
  const { featureNames, sourceNames } = first.batch
  const picked = parts.map(({ batch, rows }) => ({ batch, rows: rows ?? allRows(batch.rows) }))
  const rows = picked.reduce((sum, part) => sum + part.rows.length, 0)
  const numbers = <Column extends Mutable>(into: Column, width: number, of: (batch: RowBatch) => ArrayLike<number>) => {
    let at = 0
    for (const part of picked) {
      const from = of(part.batch)
      for (const row of part.rows) for (let i = 0; i < width; i++) into[at++] = from[row * width + i] ?? NaN
    }
    return into
  }
  const texts = <T>(of: (batch: RowBatch) => readonly T[]): T[] =>
    picked.flatMap((part) => Array.from(part.rows, (row) => of(part.batch)[row] as T))
  const floats = (width: number): Float32Array => new Float32Array(rows * width)
  const labels = Object.entries(first.batch.labels).map(([name, column]) => {
    const into = column instanceof Uint8Array ? new Uint8Array(rows) : floats(1)
    return [name, numbers(into, 1, (batch) => batch.labels[name] ?? [])] as const
  })
  return {
    rows,
    featureNames,
    features: numbers(floats(featureNames.length), featureNames.length, (batch) => batch.features),
    sourceNames,
    sourceRanks: numbers(floats(sourceNames.length), sourceNames.length, (batch) => batch.sourceRanks),
    sourceScores: numbers(floats(sourceNames.length), sourceNames.length, (batch) => batch.sourceScores),
    labels: Object.fromEntries(labels),
    ...numbersBy((name) => numbers(emptyColumn(name, rows), 1, (batch) => batch[name])),
    ...textsBy((name) => texts((batch) => batch[name])),
    topics: texts((batch) => batch.topics),
  }
}

type Mutable = Float64Array | Float32Array | Uint16Array | Uint8Array

/** The numbers of the first `rows` rows. */
export function allRows(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row)
}

/** The rows of a batch for which `isWanted` holds; null: none. */
export function filterRows(batch: RowBatch, isWanted: (row: number) => boolean): RowBatch | null {
  const rows = allRows(batch.rows).filter(isWanted)
  if (rows.length === 0) return null
  return rows.length === batch.rows ? batch : joinRows([{ batch, rows }])
}
