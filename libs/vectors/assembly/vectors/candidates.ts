import { dot } from './dots'
import { LINE, VECTORS, addresses, capacity, ids, idsAt, keys, lowers, query, uppers, width } from './layout'
import { keyOf, scoreOf, selectLargest, selectSmallest, sort } from './select'

declare function accept(row: i32): i32

/** What no row that belongs to the answer is below: −∞ until k were found. */
export let threshold: f32 = -Infinity
let wanted: i32 = 0
let filtered: bool = false
let held: i32 = 0
/** How many of those held, the first ones, were there when the threshold was last tightened. */
let settled: i32 = 0
let fresh: i32 = 0
let fetched: i32 = 0

/** Forgets the last search's candidates. */
export function startCandidates(k: i32, isFiltered: bool): void {
  wanted = k
  filtered = isFiltered
  held = 0
  threshold = -Infinity
  settled = 0
  fresh = 0
}

/** How many of the best k so far came between the last two calls of `tighten`. */
export function entered(): i32 {
  return fresh
}

/** Takes a row of a block whose score is within `margin` of that given, unless the filter keeps it out. */
export function offer(block: usize, slot: i32, score: f32, margin: f32): void {
  const id = load<i32>(block + idsAt + ((<usize>slot) << 2))
  if (filtered && accept(id) == 0) return
  if (held == capacity) compact()
  const at = (<usize>held) << 2
  store<f32>(uppers + at, score + margin)
  store<f32>(lowers + at, score - margin)
  store<u32>(addresses + at, load<u32>(block, VECTORS) + <u32>((slot * width) << 2))
  store<i32>(ids + at, id)
  held++
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
  const border = (<usize>settled) << 2
  settled = 0
  const end = (<usize>held) << 2
  for (let from: usize = 0; from < end; from += 4) {
    const high = load<f32>(uppers + from)
    if (high < threshold) continue
    store<f32>(uppers + kept, high)
    store<f32>(lowers + kept, load<f32>(lowers + from))
    store<u32>(addresses + kept, load<u32>(addresses + from))
    store<i32>(ids + kept, load<i32>(ids + from))
    kept += 4
    settled += <i32>(from < border)
  }
  held = <i32>(kept >> 2)
}

function rerank(): void {
  fetchVectors()
  const end = (<usize>held) << 2
  for (let at: usize = 0; at < end; at += 4) {
    if (load<f32>(uppers + at) == load<f32>(lowers + at)) continue
    const score = dot(query, <usize>load<u32>(addresses + at), width)
    store<f32>(uppers + at, score)
    store<f32>(lowers + at, score)
  }
}

/** Asks for all vectors before any is worked on: they lie far apart, and one after the other each would be waited for. */
function fetchVectors(): void {
  const end = (<usize>held) << 2
  const bytes = (<usize>width) << 2
  let bits = 0
  for (let at: usize = 0; at < end; at += 4) {
    if (load<f32>(uppers + at) == load<f32>(lowers + at)) continue
    const vector = <usize>load<u32>(addresses + at)
    for (let from = vector; from < vector + bytes; from += LINE) bits |= load<i32>(from)
  }
  // Kept, so that the loads are.
  fetched = bits
}

/** Keeps the k best by exact score, smaller row first among equals. */
function keepBest(): void {
  if (held <= wanted) return
  writeKeys()
  const limit = selectSmallest(keys, held, wanted)
  let kept: usize = 0
  const border = (<usize>settled) << 2
  settled = 0
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
    settled += <i32>(from < border)
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

/** Settles the best k so far and gives the last one's score, which no row of the answer is below: −∞ until k were found. */
export function tighten(): f32 {
  settle()
  fresh = held - settled
  settled = held
  return threshold
}

function settle(): void {
  prune()
  rerank()
  keepBest()
}

/** Ends a search: ids (i32) at `outIds`, scores (f32) at `outScores`, best first; returns how many. */
export function finish(outIds: usize, outScores: usize): i32 {
  settle()
  writeKeys()
  sort(keys, held)
  for (let i = 0; i < held; i++) {
    const key = load<u64>(keys + ((<usize>i) << 3))
    store<i32>(outIds + ((<usize>i) << 2), <i32>(<u32>key))
    store<f32>(outScores + ((<usize>i) << 2), scoreOf(key))
  }
  return held
}
