/**
 * The random walk over a bipartite graph in linear memory. Nodes have a head (first entry in the pool u32, degree u32),
 * pool entries are u32 node numbers of the other side, labels are u8 per pin, 0 for none.
 *
 * Many walkers take each half-step together, so that their cache misses overlap: one walker alone is 6 times slower on a
 * graph that does not fit the cache.
 */

/** Slot of the visit table: pin + 1 u32, 0 where it is free; visits of the walk under way u32. */
const SLOT_SHIFT: i32 = 3
/** By slot, apart so that the table stays small: the sum over earlier walks of the root of their visits f64. */
const SUM_SHIFT: i32 = 3
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
let sums: usize = 0
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
  sumsAt: usize,
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
  sums = sumsAt
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

// The walk under way.
let state: u64 = 0
let start: u32 = 0
let startHead: usize = 0
let last: usize = 0
let width: i32 = 0
let wanted: i32 = 0
let done: i32 = 0
let touched: i32 = 0
let high: i32 = 0
let enoughPins: i32 = 0
let enoughVisits: u32 = 0
let restart: u32 = 0
let latest: u32 = 0
let own: u32 = 0
let label: u32 = 0
let bias: u32 = 0
let mask: u32 = 0
let slotFactor: u32 = 1
let slotShift: u32 = 0

/**
 * Begins a walk of `steps` from a pin, or until `pinsEnough` pins have `visitsEnough`. `restartAt`, `latestAt` and `biasAt`
 * are probabilities times 2^32: of going back to the start after a step, of drawing the later of two edges, of not
 * counting a pin whose label is another than `ownLabel`. `ownBoard` is a board that is not entered, NOWHERE for none.
 * `slots` is the table's number of slots, the same for all walks of a query. If `pinsFit`, there is a slot for each pin of
 * the graph, and a pin's slot is its row.
 */
export function begin(
  pin: u32,
  steps: i32,
  walkersWide: i32,
  pinsEnough: i32,
  visitsEnough: u32,
  restartAt: u32,
  latestAt: u32,
  ownBoard: u32,
  ownLabel: u32,
  biasAt: u32,
  slots: u32,
  pinsFit: bool,
  seedHigh: u32,
  seedLow: u32,
): void {
  state = ((<u64>seedHigh) << 32) | (<u64>seedLow)
  start = pin
  startHead = pinHeads + ((<usize>pin) << HEAD_SHIFT)
  width = walkersWide
  last = walkers + ((<usize>walkersWide) << WALKER_SHIFT)
  wanted = load<u32>(startHead, 4) == 0 ? 0 : steps
  done = 0
  touched = 0
  high = 0
  enoughPins = pinsEnough
  enoughVisits = visitsEnough
  restart = restartAt
  latest = latestAt
  own = ownBoard
  label = ownLabel
  bias = biasAt
  mask = slots - 1
  slotFactor = pinsFit ? 1 : 0x9e3779b1
  slotShift = pinsFit ? 0 : 7
  for (let w = walkers; w < last; w += 1 << WALKER_SHIFT) store<u32>(w, pin)
}

/** Takes about `steps` more of the walk's steps, and gives whether it goes on; however it is divided, it is the same walk. */
export function advance(steps: i32): bool {
  const until = min(wanted, done + steps)
  // Locals: the compiler reads globals again after every store.
  const end = last
  const heads = pinHeads
  const entries = pool
  const visitTable = table
  const home = start
  const homeHead = startHead
  const slotMask = mask
  const factor = slotFactor
  const shift = slotShift
  const back = restart
  const later = latest
  const mine = own
  const boards = boardHeads
  const seenOrder = order
  const seenTurn = turn
  const enough = enoughVisits
  const wantedLabel = label
  const skip = bias
  const pinLabels = labels
  let counter = state
  let seen = visited
  let fresh = touched
  let often = high
  while (done < until && often < enoughPins) {
    for (let w = walkers; w < end; w += 1 << WALKER_SHIFT) {
      let head = heads + ((<usize>load<u32>(w)) << HEAD_SHIFT)
      counter += 0x9e3779b97f4a7c15
      const bits = mixed(counter)
      let degree = load<u32>(head, 4)
      if (degree == 0) {
        head = homeHead
        degree = load<u32>(head, 4)
      }
      let index = scaled(bits, degree)
      if (later != 0) {
        counter += 0x9e3779b97f4a7c15
        const more = mixed(counter)
        const other = scaled(more, degree)
        index = select<u32>(other, index, (<u32>(more >> 32) < later) & (other > index))
      }
      store<u32>(w, load<u32>(head) + index, 4)
      store<u64>(w, bits, 8)
    }
    for (let w = walkers; w < end; w += 1 << WALKER_SHIFT) {
      store<u32>(w, load<u32>(entries + ((<usize>load<u32>(w, 4)) << 2)))
    }
    for (let w = walkers; w < end; w += 1 << WALKER_SHIFT) {
      const board = load<u32>(w)
      const head = boards + ((<usize>board) << HEAD_SHIFT)
      const degree = load<u32>(head, 4)
      const index = load<u32>(head) + scaled(load<u64>(w, 8) >> 32, degree)
      store<u32>(w, select<u32>(NOWHERE, index, (degree == 0) | (board == mine)), 4)
    }
    // Apart from the counting: a branch that waits for a miss and is guessed wrongly stops the misses behind it.
    for (let w = walkers; w < end; w += 1 << WALKER_SHIFT) {
      const index = load<u32>(w, 4)
      store<u32>(w, index == NOWHERE ? NOWHERE : load<u32>(entries + ((<usize>index) << 2)))
    }
    for (let w = walkers; w < end; w += 1 << WALKER_SHIFT) {
      const pin = load<u32>(w)
      if (pin == NOWHERE) {
        store<u32>(w, home)
        continue
      }
      counter += 0x9e3779b97f4a7c15
      const bits = mixed(counter)
      if (skip != 0) {
        const pinLabel = <u32>load<u8>(pinLabels + <usize>pin)
        if (pinLabel != 0 && pinLabel != wantedLabel && <u32>(bits >> 32) < skip) {
          store<u32>(w, home)
          continue
        }
      }
      let slot = ((pin * factor) >> shift) & slotMask
      let at = visitTable + ((<usize>slot) << SLOT_SHIFT)
      let key = load<u32>(at)
      while (key != 0 && key != pin + 1) {
        slot = (slot + 1) & slotMask
        at = visitTable + ((<usize>slot) << SLOT_SHIFT)
        key = load<u32>(at)
      }
      // Written in any case: whether a pin is new cannot be guessed, and a wrong guess costs more than the writes.
      store<u32>(at, pin + 1)
      store<u32>(seenOrder + ((<usize>seen) << 2), slot)
      seen += i32(key == 0)
      const visits = load<u32>(at, 4) + 1
      store<u32>(at, visits, 4)
      store<u32>(seenTurn + ((<usize>fresh) << 2), slot)
      fresh += i32(visits == 1)
      often += i32(visits == enough)
      store<u32>(w, select<u32>(home, pin, <u32>bits < back))
    }
    done += width
  }
  state = counter
  visited = seen
  touched = fresh
  high = often
  return done < wanted && often < enoughPins
}

/** Ends the walk under way: adds the root of each pin's visits to its sum. */
export function end(): void {
  taken += done
  for (let i = 0; i < touched; i++) {
    const slot = <usize>load<u32>(turn + ((<usize>i) << 2))
    const at = table + (slot << SLOT_SHIFT)
    const sum = sums + (slot << SUM_SHIFT)
    store<f64>(sum, load<f64>(sum) + Math.sqrt(<f64>load<u32>(at, 4)))
    store<u32>(at, 0, 4)
  }
}

/**
 * Puts the pins visited since `clear`, by first visit, into `turn`, and the squares of their sums times the discount of
 * their degrees (f64 at `discounts` by degree) into `scores`; gives their number.
 */
export function finish(discounts: usize): i32 {
  for (let i = 0; i < visited; i++) {
    const slot = <usize>load<u32>(order + ((<usize>i) << 2))
    const pin = load<u32>(table + (slot << SLOT_SHIFT)) - 1
    const sum = load<f64>(sums + (slot << SUM_SHIFT))
    const degree = load<u32>(pinHeads + ((<usize>pin) << HEAD_SHIFT), 4)
    store<u32>(turn + ((<usize>i) << 2), pin)
    store<f64>(scores + ((<usize>i) << 3), sum * sum * load<f64>(discounts + ((<usize>degree) << 3)))
  }
  return visited
}

/** Frees the slots of the walks since the last `clear`. */
export function clear(): void {
  for (let i = 0; i < visited; i++) {
    const slot = <usize>load<u32>(order + ((<usize>i) << 2))
    store<u64>(table + (slot << SLOT_SHIFT), 0)
    store<f64>(sums + (slot << SUM_SHIFT), 0)
  }
  visited = 0
  taken = 0
}
