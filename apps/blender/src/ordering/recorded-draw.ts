import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { OrderDraw } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { positionPropensities } from '@freshet/ordering/position-propensities'
import { predictionsOf } from '../ranked-columns.ts'
import type { Ranked } from '../scorers/ask-ranker.ts'
import type { Draw, Ordered } from './pool.ts'

/** The draw of a page, as `feeds-served.v1` has it. */
export interface RecordedDraw {
  readonly draw: OrderDraw | undefined
  /** Little-endian float32 each: of each pin at its place, given those above it. */
  readonly propensities: Uint8Array
}

const nothing = new Uint8Array(0)
const notDrawn: RecordedDraw = { draw: undefined, propensities: nothing }

/**
 * The probabilities of the page. They are NaN if the page is not the beginning of the drawn order, for example because a simultaneous
 * request took some of its pins. The probabilities of places are NaN if a cap could have kept a pin from a place.
 */
export function recordedDraw(ordered: Ordered | null, rows: Int32Array, ranked: Ranked | null): RecordedDraw {
  if (ordered === null || ordered.draw === null) return notDrawn
  const { pool, placement, draw } = ordered
  const picks = placement.order.slice(0, rows.length)
  const isWhole = picks.length === rows.length && rows.every((row, at) => pool.pins.rows[picks[at]!] === row)
  const unknown = new Float32Array(rows.length).fill(NaN)
  const cascade = isWhole ? Float32Array.from(draw.propensities.subarray(0, rows.length)) : unknown
  const places = isWhole && draw.isFree ? placesOf(draw, picks) : unknown
  return {
    draw: {
      slateLogPropensity: isWhole
        ? draw.propensities.subarray(0, rows.length).reduce((sum, propensity) => sum + Math.log(propensity), 0)
        : NaN,
      positionPropensities: bytesOf(places),
      temperature: draw.temperature,
      candidates: placement.order.length,
      ...(isWhole ? restOf(ordered, draw, { from: rows.length, ranked }) : noRest),
    },
    propensities: bytesOf(cascade),
  }
}

function placesOf({ values, temperature }: Draw, picks: Uint16Array): Float32Array {
  const worths = Float64Array.from(values, (value) => value / temperature)
  return Float32Array.from(positionPropensities(worths, picks))
}

type Rest = Pick<OrderDraw, 'restUtilities' | 'restKeptOutFrom' | 'restPredictions'>

const noRest: Rest = { restUtilities: nothing, restKeptOutFrom: nothing, restPredictions: nothing }

/** The candidates below the page: another policy would have drawn them with other probabilities. */
function restOf(
  { pool, placement }: Ordered,
  { values, keptOutFrom, steadyPlaces }: Draw,
  { from, ranked }: { readonly from: number; readonly ranked: Ranked | null },
): Rest {
  const rest = placement.order.slice(from)
  const rows = Int32Array.from(rest, (candidate) => pool.pins.rows[candidate]!)
  const isSteady = from <= steadyPlaces
  return {
    restUtilities: bytesOf(Float32Array.from(rest, (candidate) => values[candidate]!)),
    restKeptOutFrom: isSteady ? bytesOf(rest.map((candidate) => Math.min(from, keptOutFrom[candidate]!))) : nothing,
    restPredictions: predictionsOf(rows, ranked),
  }
}
