import { classesOf, type ClassKeys, type Classes } from '@freshet/ordering/classes'
import type { CandidateColumns } from '../candidates.ts'
import { topicSlots } from '../facts/pin-columns.ts'
import type { PinFacts } from '../pin-facts.ts'
import type { PinVectors } from '../pin-vectors.ts'
import type { PinsAbove } from './pins-above.ts'

/** What pins may have in common. */
export type ClassKind = 'creator' | 'topic' | 'cluster' | 'board' | 'source'

/** The views that know what pins have in common. */
export interface OrderingViews {
  readonly facts: PinFacts
  readonly vectors: PinVectors
}

/**
 * Pins of a pool: the rows of their columns, and their rows in the views; −1: the view does not know the pin. In the views also the
 * pins above the page: they follow those of the pool, so that rules can place them first.
 */
export interface PoolPins {
  readonly columns: CandidateColumns
  readonly rows: Int32Array
  readonly factRows: Int32Array
  readonly vectorRows: Int32Array
}

/** The rows of some pins in the views. */
export function poolPins(
  columns: CandidateColumns,
  { rows, above: { highs, lows } }: { readonly rows: Int32Array; readonly above: PinsAbove },
  { facts, vectors }: OrderingViews,
): PoolPins {
  const { high, low } = columns.keys
  const count = rows.length + lows.length
  const [factRows, vectorRows] = [new Int32Array(count), new Int32Array(count)]
  // The filters have looked them up already.
  const known = facts.rowsOf(columns.keys)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    factRows[i] = known[row]!
    vectorRows[i] = vectors.rowOf(high[row]!, low[row]!)
  }
  for (let at = 0; at < lows.length; at++) {
    factRows[rows.length + at] = facts.rowOf(highs[at]!, lows[at]!)
    vectorRows[rows.length + at] = vectors.rowOf(highs[at]!, lows[at]!)
  }
  return { columns, rows, factRows, vectorRows }
}

/** The classes of one kind. */
export function classesOfKind(kind: ClassKind, pins: PoolPins, views: OrderingViews): Classes {
  return classesOf(keysOfKind(kind, pins, views))
}

function keysOfKind(
  kind: ClassKind,
  { columns, rows, factRows, vectorRows }: PoolPins,
  views: OrderingViews,
): ClassKeys {
  const { facts, vectors } = views
  switch (kind) {
    case 'creator':
      return { keys: keysOf(factRows, facts.creatorOf), width: 1 }
    case 'topic':
      return { keys: topicKeys(factRows, facts), width: topicSlots }
    case 'cluster':
      return { keys: keysOf(vectorRows, vectors.clusterOf), width: 1 }
    case 'board':
      return { keys: ownKeys(factRows.length, rows, columns.boards), width: 1 }
    case 'source':
      return { keys: ownKeys(factRows.length, rows, mainSources(columns)), width: 1 }
  }
}

/** Keys from a column of the candidates. Pins above have none: the served set says neither their board nor which source found them. */
function ownKeys(count: number, rows: Int32Array, column: Uint32Array | Uint8Array | null): Uint32Array {
  const keys = new Uint32Array(count)
  if (column !== null) for (let i = 0; i < rows.length; i++) keys[i] = column[rows[i]!]!
  return keys
}

function topicKeys(factRows: Int32Array, facts: PinFacts): Uint32Array {
  const keys = new Uint32Array(factRows.length * topicSlots)
  for (let candidate = 0; candidate < factRows.length; candidate++) {
    const row = factRows[candidate]!
    if (row >= 0) for (let i = 0; i < topicSlots; i++) keys[candidate * topicSlots + i] = facts.topicAt(row, i)
  }
  return keys
}

/** The key of each row of a view; 0: the view does not know the pin. `Uint32Array.from` with a function takes several times as long. */
function keysOf(rows: Int32Array, keyOf: (row: number) => number): Uint32Array {
  const keys = new Uint32Array(rows.length)
  for (let i = 0; i < rows.length; i++) keys[i] = rows[i]! < 0 ? 0 : keyOf(rows[i]!)
  return keys
}

/** For each row, one plus the index of the source that ranked it best; 0: no source is known. */
export function mainSources({
  foundBySource,
  foundBy,
}: Pick<CandidateColumns, 'foundBySource' | 'foundBy'>): Uint8Array {
  const sources = new Uint8Array(foundBy.length)
  const ranks = new Uint16Array(foundBy.length)
  foundBySource.forEach(({ rows, ranks: given }, source) => {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const rank = given === null ? i : given[i]!
      if (sources[row] !== 0 && ranks[row]! <= rank) continue
      sources[row] = source + 1
      ranks[row] = rank
    }
  })
  return sources
}
