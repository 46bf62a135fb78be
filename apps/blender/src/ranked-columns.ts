import { bytesOf, float32Column, uint16Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { FactColumn } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { RankAnswer } from '@freshet/contracts/ports/calls'
import { pickInts } from './pick.ts'
import type { Ranked } from './scorers/ask-ranker.ts'

/** The part of a feed's record that comes from the ranker. */
type RankedColumns = Pick<
  FeedServed,
  | 'featureNames'
  | 'features'
  | 'actions'
  | 'probabilities'
  | 'modelVersion'
  | 'facts'
  | 'exposedNames'
  | 'exposed'
  | 'amountNames'
  | 'amounts'
>

const none = new Uint8Array(0)

const notRanked: RankedColumns = {
  featureNames: [],
  features: none,
  actions: [],
  probabilities: none,
  modelVersion: '',
  facts: [],
  exposedNames: [],
  exposed: none,
  amountNames: [],
  amounts: none,
}

/** The ranker's columns, only for the rows of the page. A pin that the ranker did not score has zeros and no facts. */
export function rankedColumns(rows: Int32Array, ranked: Ranked | null): RankedColumns {
  if (ranked === null) return notRanked
  const { response, places } = ranked
  const { featureNames, actions, modelVersion, exposedNames, amountNames } = response
  const picked = { places: pickInts(places, rows), candidates: response.utilities.byteLength / 4 }
  return {
    featureNames,
    ...readColumns(response, picked),
    actions,
    probabilities: pickColumns(response.probabilities, actions.length, picked),
    modelVersion,
    exposedNames,
    exposed: pickRows(response.exposed, exposedNames.length, picked),
    amountNames,
    amounts: pickColumns(response.amounts, amountNames.length, picked),
  }
}

/** The features and facts of the rows of the page. */
function readColumns(response: RankAnswer, picked: Picked): Pick<RankedColumns, 'features' | 'facts'> {
  const { featureNames, readRows } = response
  if (readRows === undefined)
    return {
      features: pickRows(response.features, featureNames.length, picked),
      facts: response.facts.map((fact) => pickFact(fact, picked)),
    }
  const { places } = picked
  const known = places.filter((place) => place >= 0)
  const read = readRows(known)
  if (known.length === places.length) return read
  // Where the pins that the ranker scored are among what was read.
  let next = 0
  const among = { places: places.map((place) => (place < 0 ? -1 : next++)), candidates: known.length }
  return {
    features: pickRows(read.features, featureNames.length, among),
    facts: read.facts.map((fact) => pickFact(fact, among)),
  }
}

/** Little-endian float32: for some rows the predictions of the ranker, a column for each action, then for each amount. */
export function predictionsOf(rows: Int32Array, ranked: Ranked | null): Uint8Array {
  if (ranked === null) return none
  const { response, places } = ranked
  const picked = { places: pickInts(places, rows), candidates: response.utilities.byteLength / 4 }
  return Buffer.concat([
    pickColumns(response.probabilities, response.actions.length, picked),
    pickColumns(response.amounts, response.amountNames.length, picked),
  ])
}

/** The rows of an answer that a page shows. */
interface Picked {
  /** For each pin its row in the answer; −1: it is not there. */
  readonly places: Int32Array
  /** Rows of the answer. */
  readonly candidates: number
}

/** Picks from rows of `width` numbers. */
function pickRows(bytes: Uint8Array, width: number, { places }: Picked): Uint8Array {
  const from = float32Column(bytes)
  const out = new Float32Array(places.length * width)
  for (let at = 0; at < places.length; at++) {
    const place = places[at]!
    for (let i = 0; place >= 0 && i < width; i++) out[at * width + i] = from[place * width + i]!
  }
  return bytesOf(out)
}

/** Picks from `count` columns with all candidates. */
function pickColumns(bytes: Uint8Array, count: number, { places, candidates }: Picked): Uint8Array {
  const from = float32Column(bytes)
  const out = new Float32Array(places.length * count)
  for (let column = 0; column < count; column++)
    for (let at = 0; at < places.length; at++) {
      const place = places[at]!
      if (place >= 0) out[column * places.length + at] = from[column * candidates + place]!
    }
  return bytesOf(out)
}

function pickFact({ name, texts, counts: bytes }: FactColumn, { places }: Picked): FactColumn {
  const counts = uint16Column(bytes)
  const starts = new Uint32Array(counts.length)
  for (let row = 1; row < counts.length; row++) starts[row] = starts[row - 1]! + counts[row - 1]!
  const picked = Uint16Array.from(places, (place) => (place < 0 ? 0 : counts[place]!))
  return {
    name,
    texts: [...places].flatMap((place) =>
      place < 0 ? [] : texts.slice(starts[place], starts[place]! + counts[place]!),
    ),
    counts: bytesOf(picked),
  }
}
