import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { OrderDraw } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { positionPropensities } from '@freshet/ordering/position-propensities'
import type { Ordered } from './pool.ts'

/** The draw of a page, as `feeds-served.v1` has it. */
export interface RecordedDraw {
  readonly draw: OrderDraw | undefined
  /** Little-endian float32 each: of each pin at its place, given those above it. */
  readonly propensities: Uint8Array
}

const notDrawn: RecordedDraw = { draw: undefined, propensities: new Uint8Array(0) }

/**
 * The probabilities of the page. They are NaN if the page is not the beginning of the drawn order, for example because a simultaneous
 * request took some of its pins. The probabilities of places are NaN if a cap could have kept a pin from a place.
 */
export function recordedDraw(ordered: Ordered | null, rows: Int32Array): RecordedDraw {
  if (ordered === null || ordered.draw === null) return notDrawn
  const { pool, placement, draw } = ordered
  const picks = placement.order.slice(0, rows.length)
  const isWhole = picks.length === rows.length && rows.every((row, at) => pool.pins.rows[picks[at]!] === row)
  const unknown = new Float32Array(rows.length).fill(NaN)
  const cascade = isWhole ? Float32Array.from(draw.propensities.subarray(0, rows.length)) : unknown
  const places = isWhole && draw.isFree ? Float32Array.from(positionPropensities(draw.worths, picks)) : unknown
  return {
    draw: {
      slateLogPropensity: isWhole
        ? draw.propensities.subarray(0, rows.length).reduce((sum, propensity) => sum + Math.log(propensity), 0)
        : NaN,
      positionPropensities: bytesOf(places),
      temperature: draw.temperature,
      candidates: placement.order.length,
    },
    propensities: bytesOf(cascade),
  }
}
