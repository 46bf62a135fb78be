/**
 * Trails that share a pin with the user's recent ones, in columns: candidate `c` is the trail whose pins are entries
 * `starts[c]` to `starts[c] + lengths[c]` of `pinRows`, and row `trails[c]` of the view it was gathered from.
 */
export interface NeighbourSet {
  count: number
  starts: Int32Array
  lengths: Int32Array
  trails: Int32Array
  lastAtMs: Float64Array
  pinRows: Int32Array
}

/** An empty set with room for `capacity` candidates. */
export function createNeighbourSet(capacity: number): NeighbourSet {
  return {
    count: 0,
    starts: new Int32Array(capacity),
    lengths: new Int32Array(capacity),
    trails: new Int32Array(capacity),
    lastAtMs: new Float64Array(capacity),
    pinRows: new Int32Array(0),
  }
}
