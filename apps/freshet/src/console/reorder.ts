import { placedBy, placesOf } from '@freshet/ordering/placement'

/** What the record of a feed says about a pin, and what of it the sliders move. */
export interface RecordedPin {
  readonly pinId: string
  readonly utility: number
  /** What exploration added to the utility; 0: nothing. */
  readonly exploration: number
  /** By head: its part of the utility. */
  readonly parts: ReadonlyMap<string, number>
  /** By step of the ordering: what it added to the utility. */
  readonly added: ReadonlyMap<string, number>
}

/** Factors on what made the order; 1: as served. */
export interface Sliders {
  readonly weights: ReadonlyMap<string, number>
  readonly diversity: number
  readonly exploration: number
}

/** A pin in another order. */
export interface ReorderedPin {
  readonly pinId: string
  /** Places from 0. */
  readonly from: number
  readonly to: number
  /** The value by which the pin has its place. */
  readonly utility: number
}

/** The steps whose strength `diversity` moves: they hold pins back that resemble those above them. */
const diversitySteps: readonly string[] = ['diversity', 'spacing']

/**
 * The order of a served page with other settings. The value of a pin is its utility plus what exploration and the steps of the
 * ordering added; the page is in the order of these values. Each slider scales its part of the value, and the pins are placed again
 * by the code of the ordering, so equal settings give the served order. What steps added is that of the served page: a step does
 * not look at the new neighbours of a pin.
 */
export function reorder(pins: readonly RecordedPin[], sliders: Sliders): ReorderedPin[] {
  const served = servedValues(pins)
  const order = Uint16Array.from(pins.keys())
  const values = Float32Array.from(served, (value, at) => value + changeOf(pins[at]!, sliders))
  const placed = placedBy({ order, values: served }, values)
  const places = placesOf(placed.order)
  return Array.from(placed.order, (from) => ({
    pinId: pins[from]!.pinId,
    from,
    to: places[from]!,
    utility: values[from]!,
  }))
}

/** The values by which the pins had their places. Steps lower the value of a pin to that of the one above it; sums of rounded numbers may miss that by a little. */
function servedValues(pins: readonly RecordedPin[]): Float32Array {
  let least = Infinity
  return Float32Array.from(pins, ({ utility, exploration, added }) => {
    const value = [...added.values()].reduce((sum, each) => sum + each, utility + exploration)
    return (least = Math.min(least, value))
  })
}

function changeOf({ exploration, parts, added }: RecordedPin, sliders: Sliders): number {
  let change = (sliders.exploration - 1) * exploration
  for (const [head, factor] of sliders.weights) change += (factor - 1) * (parts.get(head) ?? 0)
  for (const step of diversitySteps) change += (sliders.diversity - 1) * (added.get(step) ?? 0)
  return change
}
