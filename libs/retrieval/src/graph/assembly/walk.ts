/**
 * The random walk over a bipartite graph in linear memory. Nodes have a head (first entry in the pool u32, degree u32),
 * pool entries are u32 node numbers of the other side, labels are u8 per pin, 0 for none.
 *
 * Many walkers take each half-step together, so that their cache misses overlap: one walker alone is 6 times slower on a
 * graph that does not fit the cache.
 */

/**
 * Slot of the visit table: pin u32, visits of the walk under way u32, sum over earlier walks of the root of their visits
 * f64; free where both are 0.
 */
const SLOT_SHIFT: i32 = 4
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
let turn: usize = 0
let scores: usize = 0
let visited: i32 = 0
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
  turnAt: usize,
  scoresAt: usize,
): void {
  pinHeads = pinHeadsAt
  boardHeads = boardHeadsAt
  pool = poolAt
  labels = labelsAt
  walkers = walkersAt
  table = tableAt
  order = orderAt
  turn = turnAt
  scores = scoresAt
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

/** Steps taken since `clear`. */
export function stepsTaken(): i32 {
  return taken
}

/**
 * Walks from `start` until `steps` are taken or `enoughPins` pins have `enoughVisits`, then adds the root of each pin's
 * visits to its sum. `restart`, `latest` and `bias` are probabilities times 2^32: of going back to the start after a
 * step, of drawing the later of two edges, of not counting a pin whose label is another than `label`. `own` is a board
 * that is not entered, NOWHERE for none. `mask` is the table's number of slots less 1, the same for all walks of a query.
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
): void {
  let state: u64 = ((<u64>seedHigh) << 32) | (<u64>seedLow)
  const startHead = pinHeads + ((<usize>start) << HEAD_SHIFT)
  const last = walkers + ((<usize>width) << WALKER_SHIFT)
  let touched = 0
  let high = 0
  let done = 0
  if (load<u32>(startHead, 4) == 0) return
  for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) store<u32>(w, start)
  while (done < steps && high < enoughPins) {
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
    // Apart from the counting: a branch that waits for a miss and is guessed wrongly stops the misses behind it.
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      const index = load<u32>(w, 4)
      store<u32>(w, index == NOWHERE ? NOWHERE : load<u32>(pool + ((<usize>index) << 2)))
    }
    for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) {
      const pin = load<u32>(w)
      if (pin == NOWHERE) {
        store<u32>(w, start)
        continue
      }
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
          if (load<u64>(at, 8) == 0) {
            store<u32>(at, pin)
            store<u32>(order + ((<usize>visited) << 2), slot)
            visited++
          } else if (load<u32>(at) != pin) {
            slot++
            continue
          }
          store<u32>(turn + ((<usize>touched) << 2), slot)
          touched++
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
    done += width
  }
  taken += done
  for (let i = 0; i < touched; i++) {
    const at = table + ((<usize>load<u32>(turn + ((<usize>i) << 2))) << SLOT_SHIFT)
    store<f64>(at, load<f64>(at, 8) + Math.sqrt(<f64>load<u32>(at, 4)), 8)
    store<u32>(at, 0, 4)
  }
}

/**
 * Puts the pins visited since `clear`, by first visit, into `turn`, and the squares of their sums times the discount of
 * their degrees (f64 at `discounts` by degree) into `scores`; gives their number.
 */
export function finish(discounts: usize): i32 {
  for (let i = 0; i < visited; i++) {
    const at = table + ((<usize>load<u32>(order + ((<usize>i) << 2))) << SLOT_SHIFT)
    const pin = load<u32>(at)
    const sum = load<f64>(at, 8)
    const degree = load<u32>(pinHeads + ((<usize>pin) << HEAD_SHIFT), 4)
    store<u32>(turn + ((<usize>i) << 2), pin)
    store<f64>(scores + ((<usize>i) << 3), sum * sum * load<f64>(discounts + ((<usize>degree) << 3)))
  }
  return visited
}

/** Frees the slots of the walks since the last `clear`. */
export function clear(): void {
  for (let i = 0; i < visited; i++) {
    const at = table + ((<usize>load<u32>(order + ((<usize>i) << 2))) << SLOT_SHIFT)
    store<u64>(at, 0)
    store<u64>(at, 0, 8)
  }
  visited = 0
  taken = 0
}
