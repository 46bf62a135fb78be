/**
 * The random walk over a bipartite graph in linear memory. Nodes have a head (first entry in the pool u32, degree u32),
 * pool entries are u32 node numbers of the other side, labels are u8 per pin, 0 for none.
 *
 * Many walkers take each half-step together, so that their cache misses overlap: one walker alone is 6 times slower on a
 * graph that does not fit the cache.
 */

/** Slot of the visit table: pin u32, visits u32; a slot without visits is free. */
const SLOT_SHIFT: i32 = 3
const HEAD_SHIFT: i32 = 3
/** Walker: where it is u32, index in the pool or NOWHERE u32, random bits u64. */
const WALKER_SHIFT: i32 = 4
const NOWHERE: u32 = 0xffffffff

let pinHeads: usize = 0
let boardHeads: usize = 0
let pool: usize = 0
let labels: usize = 0
let walkers: usize = 0
let table: usize = 0
let order: usize = 0
let taken: i32 = 0

/** Where the host has put the columns. */
export function place(
  pinHeadsAt: usize,
  boardHeadsAt: usize,
  poolAt: usize,
  labelsAt: usize,
  walkersAt: usize,
  tableAt: usize,
  orderAt: usize,
): void {
  pinHeads = pinHeadsAt
  boardHeads = boardHeadsAt
  pool = poolAt
  labels = labelsAt
  walkers = walkersAt
  table = tableAt
  order = orderAt
}

// SplitMix64: the state only counts up, so the draws of many walkers don't wait for each other.
function mixed(state: u64): u64 {
  let z = state
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb
  return z ^ (z >> 31)
}

function scaled(bits: u64, degree: u32): u32 {
  return <u32>(((bits & 0xffffffff) * <u64>degree) >> 32)
}

/** Half-steps taken to pins by the last walk. */
export function stepsTaken(): i32 {
  return taken
}

/**
 * Walks from `start` until `steps` are taken or `enoughPins` pins have `enoughVisits`; gives the number of pins visited,
 * whose slots stand in `order` by first visit. `restart`, `latest` and `bias` are probabilities times 2^32: of going back
 * to the start after a step, of drawing the later of two edges, of not counting a pin whose label is another than `label`.
 * `own` is a board that is not entered, NOWHERE for none.
 */
export function walk(
  start: u32,
  steps: i32,
  width: i32,
  enoughPins: i32,
  enoughVisits: u32,
  restart: u32,
  latest: u32,
  own: u32,
  label: u32,
  bias: u32,
  mask: u32,
  seedHigh: u32,
  seedLow: u32,
): i32 {
  let state: u64 = ((<u64>seedHigh) << 32) | (<u64>seedLow)
  const startHead = pinHeads + ((<usize>start) << HEAD_SHIFT)
  const last = walkers + ((<usize>width) << WALKER_SHIFT)
  let visited = 0
  let high = 0
  taken = 0
  if (load<u32>(startHead, 4) == 0) return 0
  for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) store<u32>(w, start)
  while (taken < steps && high < enoughPins) {
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      let head = pinHeads + ((<usize>load<u32>(w)) << HEAD_SHIFT)
      state += 0x9e3779b97f4a7c15
      const bits = mixed(state)
      let degree = load<u32>(head, 4)
      if (degree == 0) {
        head = startHead
        degree = load<u32>(head, 4)
      }
      let index = scaled(bits, degree)
      if (latest != 0) {
        state += 0x9e3779b97f4a7c15
        const more = mixed(state)
        const other = scaled(more, degree)
        if (<u32>(more >> 32) < latest && other > index) index = other
      }
      store<u32>(w, load<u32>(head) + index, 4)
      store<u64>(w, bits, 8)
    }
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      store<u32>(w, load<u32>(pool + ((<usize>load<u32>(w, 4)) << 2)))
    }
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      const board = load<u32>(w)
      const head = boardHeads + ((<usize>board) << HEAD_SHIFT)
      const degree = load<u32>(head, 4)
      const index = load<u32>(head) + scaled(load<u64>(w, 8) >> 32, degree)
      store<u32>(w, degree == 0 || board == own ? NOWHERE : index, 4)
    }
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      const index = load<u32>(w, 4)
      if (index == NOWHERE) {
        store<u32>(w, start)
        continue
      }
      const pin = load<u32>(pool + ((<usize>index) << 2))
      state += 0x9e3779b97f4a7c15
      const bits = mixed(state)
      if (bias != 0) {
        const pinLabel = <u32>load<u8>(labels + <usize>pin)
        if (pinLabel != 0 && pinLabel != label && <u32>(bits >> 32) < bias) {
          store<u32>(w, start)
          continue
        }
      }
      let slot = (pin * 0x9e3779b1) >> 7
      for (;;) {
        slot &= mask
        const at = table + ((<usize>slot) << SLOT_SHIFT)
        const visits = load<u32>(at, 4)
        if (visits == 0) {
          store<u32>(at, pin)
          store<u32>(order + ((<usize>visited) << 2), slot)
          visited++
        } else if (load<u32>(at) != pin) {
          slot++
          continue
        }
        store<u32>(at, visits + 1, 4)
        if (visits + 1 == enoughVisits) high++
        break
      }
      store<u32>(w, <u32>bits < restart ? start : pin)
    }
    taken += width
  }
  return visited
}

/** Frees the slots of the last walk. */
export function clear(visited: i32): void {
  for (let i = 0; i < visited; i++) {
    const slot = load<u32>(order + ((<usize>i) << 2))
    store<u32>(table + ((<usize>slot) << SLOT_SHIFT), 0, 4)
  }
}
