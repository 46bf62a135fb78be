/**
 * The hot loops of vector search, over one linear memory that the host lays out.
 *
 * A block holds up to 64 rows: next block u32, address of its f32 vectors u32, 8 bytes unused, then the columns
 * id i32, scale f32, error f32, then 7-bit codes, row after row. Rows are padded to a multiple of 16 dimensions by zeros.
 *
 * A row x is coded as u = round(x / scale) + 64 in [1, 127], the query in signed 8 bits. By Cauchy and Schwarz the coded
 * dot product is off by at most |q'|·|x − x'| + |q − q'|·|x|, so each row has an upper and a lower bound, and the search
 * drops a row only when k others are certainly better: the answer is that of a full f32 scan.
 */

const BLOCK_ROWS: i32 = 64
const NEXT: usize = 0
const VECTORS: usize = 4
const IDS: usize = 16
const SCALES: usize = 272
const ERRORS: usize = 528
const CODES: usize = 784

const LINE: usize = 64

/** Bounds of the block under way: the upper ones, then the lower ones. */
const bounds: usize = memory.data(512, 16)
const LOWER: usize = 256

/** Loaded, because a compiler that knows them builds them anew at each use. */
const ones: usize = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16)

/** Residual of the query relative to its length that the error column is made for; coarser queries widen all bounds. */
const QUERY_RESIDUAL: f64 = 0.008
/** Covers the rounding of f32 arithmetic, relative to |q|·|x|. */
const ROUNDING: f64 = 0.0001
/** Below this a vector counts as zero when it is coded; its bounds stay right. */
const TINY: f64 = 1e-30

declare function accept(row: i32): i32

let width: i32 = 0
let query: usize = 0
let queryCodes: usize = 0
let uppers: usize = 0
let lowers: usize = 0
let addresses: usize = 0
let ids: usize = 0
let keys: usize = 0
let capacity: i32 = 0

let wanted: i32 = 0
let filtered: bool = false
let held: i32 = 0
let threshold: f32 = -Infinity
let offset: i32 = 0
let factor: f32 = 0
let slack: f32 = 0
let middle: f32 = 0
let norm: f64 = 0
let residual: f64 = 0
let deviations: f64 = 0
let entries: i32 = 0
let fetched: i32 = 0

/** The first address that the host may use: what lies below is the kernel's own. */
export function firstFree(): usize {
  return __heap_base
}

/** Sets the padded width and where the query (f32, then its codes) and `rows` candidates may be kept; 24 bytes a candidate. */
export function layout(paddedWidth: i32, queryAt: usize, scratchAt: usize, rows: i32): void {
  width = paddedWidth
  query = queryAt
  queryCodes = queryAt + ((<usize>paddedWidth) << 2)
  capacity = rows
  const column = (<usize>rows) << 2
  keys = scratchAt
  uppers = keys + (column << 1)
  lowers = uppers + column
  addresses = lowers + column
  ids = addresses + column
}

/** Codes the f32 vector of a slot into its block's columns. The vector must already be in the block's f32 area. */
export function encode(block: usize, slot: i32, id: i32): void {
  const vector = <usize>load<u32>(block, VECTORS) + ((<usize>(slot * width)) << 2)
  const column = block + ((<usize>slot) << 2)
  store<i32>(column, id, IDS)
  store<f32>(column, encodeMean(vector, block + CODES + <usize>(slot * width)), SCALES)
  store<f32>(column, <f32>((sqrt(residual) + (QUERY_RESIDUAL + ROUNDING) * sqrt(norm)) * (1 + 1e-6)), ERRORS)
}

/** Codes an f32 vector into 7 bits a dimension and returns the scale; leaves its squared length and residual behind. */
export function encodeMean(vector: usize, codes: usize): f32 {
  let largest: f64 = 0
  norm = 0
  for (let i = 0; i < width; i++) {
    const x = <f64>load<f32>(vector + ((<usize>i) << 2))
    largest = max(largest, abs(x))
    norm += x * x
  }
  residual = norm
  if (largest <= TINY) {
    memory.fill(codes, 64, <usize>width)
    return 0
  }
  residual = 0
  const scale = <f32>(largest / 63)
  const inverse = 1 / <f64>scale
  for (let i = 0; i < width; i++) {
    const x = <f64>load<f32>(vector + ((<usize>i) << 2))
    const code = max(min(nearest(x * inverse), 63), -63)
    const d = x - code * <f64>scale
    residual += d * d
    store<u8>(codes + <usize>i, <u8>(<i32>code + 64))
  }
  return scale
}

/** Copies a row with all its columns from one slot to another. */
export function copy(fromBlock: usize, fromSlot: i32, toBlock: usize, toSlot: i32): void {
  const from = fromBlock + ((<usize>fromSlot) << 2)
  const to = toBlock + ((<usize>toSlot) << 2)
  store<i32>(to, load<i32>(from, IDS), IDS)
  store<f32>(to, load<f32>(from, SCALES), SCALES)
  store<f32>(to, load<f32>(from, ERRORS), ERRORS)
  const bytes = <usize>width
  memory.copy(toBlock + CODES + <usize>toSlot * bytes, fromBlock + CODES + <usize>fromSlot * bytes, bytes)
  memory.copy(
    <usize>load<u32>(toBlock, VECTORS) + ((<usize>toSlot * bytes) << 2),
    <usize>load<u32>(fromBlock, VECTORS) + ((<usize>fromSlot * bytes) << 2),
    bytes << 2,
  )
}

/** Starts a search for the `k` best rows for the query that the host wrote; `filter` ≠ 0 asks `accept` for each that may enter. */
export function begin(k: i32, filter: i32): void {
  wanted = k
  filtered = filter != 0
  held = 0
  threshold = -Infinity
  deviations = 0
  entries = 0
  encodeQuery()
}

/** Codes the query into signed 8 bits and sets what makes scores and bounds of coded dot products. */
function encodeQuery(): void {
  let largest: f64 = 0
  for (let i = 0; i < width; i++) largest = max(largest, abs(<f64>load<f32>(query + ((<usize>i) << 2))))
  let total = 0
  let scale: f64 = 0
  norm = 0
  residual = 0
  if (largest > TINY) {
    scale = largest / 127
    const inverse = 1 / scale
    for (let i = 0; i < width; i++) {
      const x = <f64>load<f32>(query + ((<usize>i) << 2))
      const code = max(min(nearest(x * inverse), 127), -127)
      const d = x - code * scale
      residual += d * d
      norm += x * x
      total += <i32>code
      store<i8>(queryCodes + <usize>i, <i8>(<i32>code))
    }
  } else {
    memory.fill(queryCodes, 0, <usize>width)
    for (let i = 0; i < width; i++) {
      const x = <f64>load<f32>(query + ((<usize>i) << 2))
      residual += x * x
    }
  }
  // |q'| ≤ |q| + |q − q'|; the rows' columns carry 0.008 |x|, so a coarser query scales the whole column up.
  const rest = sqrt(residual)
  slack = <f32>(max(sqrt(norm) + rest, rest / QUERY_RESIDUAL) * (1 + 1e-6))
  factor = <f32>scale
  offset = -64 * total
}

/** Scans the `count` rows of a chain of blocks, all full but the last; the squared distances of their scores to `mean` are added up. */
export function scan(block: usize, count: i32, mean: f32): void {
  middle = mean
  const bytes = CODES + ((<usize>width) << 6)
  while (count > 0) {
    const n = min(count, BLOCK_ROWS)
    fetch(block, bytes)
    if (width == 64) scanBlock64(block, n)
    else scanBlock(block, n)
    block = <usize>load<u32>(block, NEXT)
    count -= n
  }
}

/**
 * Asks for all cache lines of a range before any is worked on. The work on a row is so long that few rows' loads fit into
 * the processor's window at once; without this a scan of what the cache lacks takes twice the time of the memory.
 */
function fetch(from: usize, bytes: usize): void {
  let bits = 0
  for (const end = from + bytes; from < end; from += LINE) bits |= load<i32>(from)
  // Kept, so that the loads are.
  fetched = bits
}

/**
 * Bounds of all rows of a block first, then the offers: a branch that waits for a row still on its way from memory, and is
 * guessed wrongly, would hold up the rows behind it.
 */
function scanBlock(block: usize, n: i32): void {
  const slacks = f32x4.splat(slack)
  const middles = f32x4.splat(middle)
  const limit = f32x4.splat(threshold)
  let squares = f32x4.splat(0)
  let above = i32x4.splat(0)
  let row = block + CODES
  let out = bounds
  for (let i = 0; i < n; i += 4) {
    const column = block + ((<usize>i) << 2)
    const scores = fourScores(row, column + SCALES)
    row += (<usize>width) << 2
    if (i + 4 <= n) {
      const deviation = f32x4.sub(scores, middles)
      squares = f32x4.add(squares, f32x4.mul(deviation, deviation))
    }
    const margins = f32x4.mul(slacks, v128.load(column, ERRORS))
    const upper = f32x4.add(scores, margins)
    above = v128.or(above, f32x4.ge(upper, limit))
    v128.store(out, upper)
    v128.store(out, f32x4.sub(scores, margins), LOWER)
    out += 16
  }
  addDeviations(squares)
  if (v128.any_true(above)) offerBlock(block, n)
}

/** The same for rows of 64, unrolled: fewer instructions a row let more of its cache lines be on their way at once. */
function scanBlock64(block: usize, n: i32): void {
  const factors = f32x4.splat(factor)
  const slacks = f32x4.splat(slack)
  const start = i32x4.splat(offset)
  const one = v128.load(ones)
  const limit = f32x4.splat(threshold)
  const middles = f32x4.splat(middle)
  let squares = f32x4.splat(0)
  let above = i32x4.splat(0)
  const w = v128.load(queryCodes)
  const x = v128.load(queryCodes, 16)
  const y = v128.load(queryCodes, 32)
  const z = v128.load(queryCodes, 48)
  let row = block + CODES
  let out = bounds
  for (let i = 0; i < n; i += 4) {
    const a = i32x4.add(
      i32x4.add(products(w, v128.load(row), one), products(x, v128.load(row, 16), one)),
      i32x4.add(products(y, v128.load(row, 32), one), products(z, v128.load(row, 48), one)),
    )
    const b = i32x4.add(
      i32x4.add(products(w, v128.load(row, 64), one), products(x, v128.load(row, 80), one)),
      i32x4.add(products(y, v128.load(row, 96), one), products(z, v128.load(row, 112), one)),
    )
    const c = i32x4.add(
      i32x4.add(products(w, v128.load(row, 128), one), products(x, v128.load(row, 144), one)),
      i32x4.add(products(y, v128.load(row, 160), one), products(z, v128.load(row, 176), one)),
    )
    const d = i32x4.add(
      i32x4.add(products(w, v128.load(row, 192), one), products(x, v128.load(row, 208), one)),
      i32x4.add(products(y, v128.load(row, 224), one), products(z, v128.load(row, 240), one)),
    )
    row += 256
    const dots = i32x4.add(addLanes(a, b, c, d), start)
    const column = block + ((<usize>i) << 2)
    const scores = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), factors), v128.load(column, SCALES))
    if (i + 4 <= n) {
      const deviation = f32x4.sub(scores, middles)
      squares = f32x4.add(squares, f32x4.mul(deviation, deviation))
    }
    const margins = f32x4.mul(slacks, v128.load(column, ERRORS))
    const upper = f32x4.add(scores, margins)
    above = v128.or(above, f32x4.ge(upper, limit))
    v128.store(out, upper)
    v128.store(out, f32x4.sub(scores, margins), LOWER)
    out += 16
  }
  addDeviations(squares)
  if (v128.any_true(above)) offerBlock(block, n)
}

/** Offers what of a block may be above the threshold. */
function offerBlock(block: usize, n: i32): void {
  let limit = f32x4.splat(threshold)
  let at = bounds
  for (let i = 0; i < n; i += 4) {
    const upper = v128.load(at)
    if (v128.any_true(f32x4.ge(upper, limit))) {
      offer(block, i, min(n - i, 4), upper, v128.load(at, LOWER))
      limit = f32x4.splat(threshold)
    }
    at += 16
  }
}

/** Sums of four products each of the query's codes with a row's: the saturating pairs can't overflow, 2 · 127 · 127 < 2^15. */
function products(query: v128, codes: v128, one: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(query, codes), one)
}

/** The sums of the lanes of four vectors. */
function addLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7))
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7))
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3))
}

function addDeviations(squares: v128): void {
  deviations += <f64>(
    (f32x4.extract_lane(squares, 0) +
      f32x4.extract_lane(squares, 1) +
      f32x4.extract_lane(squares, 2) +
      f32x4.extract_lane(squares, 3))
  )
}

/** Sum of squared distances of scanned scores to the means given, whole groups of four rows only. */
export function spread(): f64 {
  return deviations
}

/** How many scanned rows seemed to be above the threshold when they came by. */
export function entered(): i32 {
  return entries
}

function offer(block: usize, first: i32, lanes: i32, upper: v128, lower: v128): void {
  // The columns lie one after another, so the candidate's place doubles as a lane buffer past the last one held.
  if (held + 4 > capacity) compact()
  const at = (<usize>held) << 2
  v128.store(uppers + at, upper)
  v128.store(lowers + at, lower)
  const vectors = <usize>load<u32>(block, VECTORS) + ((<usize>first * <usize>width) << 2)
  let next = held
  for (let lane = 0; lane < lanes; lane++) {
    const from = at + ((<usize>lane) << 2)
    const high = load<f32>(uppers + from)
    if (high < threshold) continue
    const id = load<i32>(block + ((<usize>(first + lane)) << 2), IDS)
    if (filtered && accept(id) == 0) continue
    const to = (<usize>next) << 2
    const low = load<f32>(lowers + from)
    if ((high + low) * 0.5 >= threshold) entries++
    store<f32>(uppers + to, high)
    store<f32>(lowers + to, low)
    store<u32>(addresses + to, <u32>(vectors + ((<usize>lane * <usize>width) << 2)))
    store<i32>(ids + to, id)
    next++
  }
  held = next
}

/** Drops every candidate that k others certainly beat, and raises the threshold; exact scores decide where bounds can't. */
function compact(): void {
  prune()
  if (held > capacity >> 1) {
    rerank()
    keepBest()
  }
}

function prune(): void {
  if (held <= wanted) return
  memory.copy(keys, lowers, (<usize>held) << 2)
  const limit = selectLargest(keys, held, wanted)
  threshold = max(threshold, limit)
  let kept: usize = 0
  const end = (<usize>held) << 2
  for (let from: usize = 0; from < end; from += 4) {
    const high = load<f32>(uppers + from)
    if (high < threshold) continue
    store<f32>(uppers + kept, high)
    store<f32>(lowers + kept, load<f32>(lowers + from))
    store<u32>(addresses + kept, load<u32>(addresses + from))
    store<i32>(ids + kept, load<i32>(ids + from))
    kept += 4
  }
  held = <i32>(kept >> 2)
}

function rerank(): void {
  const end = (<usize>held) << 2
  for (let at: usize = 0; at < end; at += 4) {
    if (load<f32>(uppers + at) == load<f32>(lowers + at)) continue
    const score = dot(query, <usize>load<u32>(addresses + at), width)
    store<f32>(uppers + at, score)
    store<f32>(lowers + at, score)
  }
}

/** Keeps the k best by exact score, smaller row first among equals. */
function keepBest(): void {
  if (held <= wanted) return
  writeKeys()
  const limit = selectSmallest(keys, held, wanted)
  let kept: usize = 0
  const end = (<usize>held) << 2
  for (let from: usize = 0; from < end; from += 4) {
    const score = load<f32>(uppers + from)
    const id = load<i32>(ids + from)
    if (keyOf(score, id) > limit) continue
    store<f32>(uppers + kept, score)
    store<f32>(lowers + kept, score)
    store<u32>(addresses + kept, load<u32>(addresses + from))
    store<i32>(ids + kept, id)
    kept += 4
  }
  held = <i32>(kept >> 2)
  threshold = max(threshold, scoreOf(limit))
}

function writeKeys(): void {
  for (let i = 0; i < held; i++) {
    const at = (<usize>i) << 2
    store<u64>(keys + (at << 1), keyOf(load<f32>(uppers + at), load<i32>(ids + at)))
  }
}

/** What no remaining row may be below: −∞ until k were found. */
export function tighten(): f32 {
  prune()
  return threshold
}

/** Ends a search: ids (i32) at `outIds`, scores (f32) at `outScores`, best first; returns how many. */
export function finish(outIds: usize, outScores: usize): i32 {
  prune()
  rerank()
  keepBest()
  writeKeys()
  sort(keys, held)
  for (let i = 0; i < held; i++) {
    const key = load<u64>(keys + ((<usize>i) << 3))
    store<i32>(outIds + ((<usize>i) << 2), <i32>(<u32>key))
    store<f32>(outScores + ((<usize>i) << 2), scoreOf(key))
  }
  return held
}

/**
 * Which of `count` coded means is about the nearest to the query: largest q·m − |m|²/2. The columns are read in fours:
 * what lies past the last mean must have an infinite half square.
 */
export function nearestMean(codes: usize, scales: usize, halves: usize, count: i32): i32 {
  encodeQuery()
  let best = 0
  let bestScore = -f32.MAX_VALUE
  for (let i = 0; i < count; i += 4) {
    const column = (<usize>i) << 2
    const scores = f32x4.sub(fourScores(codes, scales + column), v128.load(halves + column))
    codes += (<usize>width) << 2
    if (!v128.any_true(f32x4.gt(scores, f32x4.splat(bestScore)))) continue
    // In order of lanes, so that the first of equals wins.
    v128.store(keys, scores)
    for (let lane = 0; lane < 4; lane++) {
      const score = load<f32>(keys + ((<usize>lane) << 2))
      if (score > bestScore) {
        bestScore = score
        best = i + lane
      }
    }
  }
  return best
}

/** Writes the dot product of the query of the search under way with each of `count` coded means to `out`, in fours. */
export function meanScores(codes: usize, scales: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i += 4) {
    const column = (<usize>i) << 2
    v128.store(out + column, fourScores(codes, scales + column))
    codes += (<usize>width) << 2
  }
}

/** The coded query's dot products with four coded vectors that lie one after another. */
function fourScores(first: usize, scales: usize): v128 {
  const one = v128.load(ones)
  const bytes = <usize>width
  const queryEnd = queryCodes + bytes
  const second = first + bytes
  const third = second + bytes
  const fourth = third + bytes
  let a = i32x4.splat(0)
  let b = a
  let c = a
  let d = a
  let at: usize = 0
  for (let q = queryCodes; q < queryEnd; q += 16) {
    const x = v128.load(q)
    a = i32x4.add(a, products(x, v128.load(first + at), one))
    b = i32x4.add(b, products(x, v128.load(second + at), one))
    c = i32x4.add(c, products(x, v128.load(third + at), one))
    d = i32x4.add(d, products(x, v128.load(fourth + at), one))
    at += 16
  }
  const dots = i32x4.add(addLanes(a, b, c, d), i32x4.splat(offset))
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.splat(factor)), v128.load(scales))
}

function dot(a: usize, b: usize, n: i32): f32 {
  let first = f32x4.splat(0)
  let second = f32x4.splat(0)
  let third = f32x4.splat(0)
  let fourth = f32x4.splat(0)
  const end = a + ((<usize>n) << 2)
  while (a < end) {
    first = f32x4.add(first, f32x4.mul(v128.load(a), v128.load(b)))
    second = f32x4.add(second, f32x4.mul(v128.load(a, 16), v128.load(b, 16)))
    third = f32x4.add(third, f32x4.mul(v128.load(a, 32), v128.load(b, 32)))
    fourth = f32x4.add(fourth, f32x4.mul(v128.load(a, 48), v128.load(b, 48)))
    a += 64
    b += 64
  }
  const total = f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth))
  return (
    f32x4.extract_lane(total, 0) +
    f32x4.extract_lane(total, 1) +
    (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3))
  )
}

/** Larger score, then smaller row, gives the smaller key. */
function keyOf(score: f32, id: i32): u64 {
  const bits = reinterpret<i32>(score + <f32>0)
  const ordered = bits ^ ((bits >> 31) & 0x7fffffff)
  return ((<u64>(<u32>(ordered ^ 0x7fffffff))) << 32) | (<u64>(<u32>id))
}

function scoreOf(key: u64): f32 {
  const ordered = (<i32>(<u32>(key >> 32))) ^ 0x7fffffff
  return reinterpret<f32>(ordered ^ ((ordered >> 31) & 0x7fffffff))
}

/** The k-th largest of n floats, which it reorders. */
function selectLargest(at: usize, n: i32, k: i32): f32 {
  let left = 0
  let right = n - 1
  const target = k - 1
  while (left < right) {
    const a = load<f32>(at + ((<usize>left) << 2))
    const b = load<f32>(at + ((<usize>((left + right) >> 1)) << 2))
    const c = load<f32>(at + ((<usize>right) << 2))
    const pivot = max(min(a, b), min(max(a, b), c))
    let i = left
    let j = right
    while (i <= j) {
      while (load<f32>(at + ((<usize>i) << 2)) > pivot) i++
      while (load<f32>(at + ((<usize>j) << 2)) < pivot) j--
      if (i <= j) {
        const p = at + ((<usize>i) << 2)
        const q = at + ((<usize>j) << 2)
        const swap = load<f32>(p)
        store<f32>(p, load<f32>(q))
        store<f32>(q, swap)
        i++
        j--
      }
    }
    if (target <= j) right = j
    else if (target >= i) left = i
    else break
  }
  return load<f32>(at + ((<usize>target) << 2))
}

/** The k-th smallest of n keys, which it reorders. */
function selectSmallest(at: usize, n: i32, k: i32): u64 {
  let left = 0
  let right = n - 1
  const target = k - 1
  while (left < right) {
    const a = load<u64>(at + ((<usize>left) << 3))
    const b = load<u64>(at + ((<usize>((left + right) >> 1)) << 3))
    const c = load<u64>(at + ((<usize>right) << 3))
    const pivot = max(min(a, b), min(max(a, b), c))
    let i = left
    let j = right
    while (i <= j) {
      while (load<u64>(at + ((<usize>i) << 3)) < pivot) i++
      while (load<u64>(at + ((<usize>j) << 3)) > pivot) j--
      if (i <= j) {
        const p = at + ((<usize>i) << 3)
        const q = at + ((<usize>j) << 3)
        const swap = load<u64>(p)
        store<u64>(p, load<u64>(q))
        store<u64>(q, swap)
        i++
        j--
      }
    }
    if (target <= j) right = j
    else if (target >= i) left = i
    else break
  }
  return load<u64>(at + ((<usize>target) << 3))
}

/** Heapsort, ascending: bounded time on any input and no stack. */
function sort(at: usize, n: i32): void {
  for (let i = (n >> 1) - 1; i >= 0; i--) sift(at, i, n)
  for (let end = n - 1; end > 0; end--) {
    const last = at + ((<usize>end) << 3)
    const top = load<u64>(at)
    store<u64>(at, load<u64>(last))
    store<u64>(last, top)
    sift(at, 0, end)
  }
}

function sift(at: usize, from: i32, n: i32): void {
  const value = load<u64>(at + ((<usize>from) << 3))
  let hole = from
  for (;;) {
    let child = (hole << 1) + 1
    if (child >= n) break
    if (child + 1 < n && load<u64>(at + ((<usize>(child + 1)) << 3)) > load<u64>(at + ((<usize>child) << 3))) child++
    const larger = load<u64>(at + ((<usize>child) << 3))
    if (larger <= value) break
    store<u64>(at + ((<usize>hole) << 3), larger)
    hole = child
  }
  store<u64>(at + ((<usize>hole) << 3), value)
}
