/**
 * Trails that share a pin with the user's recent ones, in columns: candidate `c` is the trail whose pins are entries
 * `starts[c]` to `starts[c] + lengths[c]` of `pinRows`. Held by reference where the trails are in this process, copied
 * where they come from shards.
 */
export interface NeighbourSet {
  count: number
  starts: Int32Array
  lengths: Int32Array
  keyHighs: Uint32Array
  keyLows: Uint32Array
  lastAtMs: Float64Array
  pinRows: Int32Array
}

/** How many trails hold a pin, and how many there are: of the whole, not of one shard. */
export interface TrailCounts {
  readonly trailsEver: number
  countOf(pinRow: number): number
}

/** An empty set with room for `capacity` candidates. */
export function createNeighbourSet(capacity: number): NeighbourSet {
  return {
    count: 0,
    starts: new Int32Array(capacity),
    lengths: new Int32Array(capacity),
    keyHighs: new Uint32Array(capacity),
    keyLows: new Uint32Array(capacity),
    lastAtMs: new Float64Array(capacity),
    pinRows: new Int32Array(0),
  }
}
