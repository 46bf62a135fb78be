import { hash32 } from '../hash.ts'
import { hours, scalarOver, type Feature, type Met } from './feature.ts'

/** Bits of a fingerprint in the filters for older pins. */
export const filterBits = 20
/** Times of what was seen are kept to the second, milliseconds. */
export const seenResolutionMs = 1000
const filterRange = 2 ** filterBits

/**
 * The pins a user has seen. The newest are kept by a 32-bit fingerprint with the time (an unseen pin matches one
 * of 320 with probability 7.5e-8); all of a generation of time are also in a set of 20-bit fingerprints, of which the two
 * newest generations stay. With n pins in a set, an unseen pin counts as seen with probability n / 2^20: 0.14 % at
 * the cap of 1,500, and twice that over both.
 */
export interface Seen {
  /** Fingerprints of the newest pins, oldest first. */
  readonly pins: Uint32Array
  /** When each was last seen, to the second. */
  readonly atMs: Float64Array
  /** Older pins by generation of time, oldest first, at most two. */
  readonly older: readonly SeenGeneration[]
}

/** The pins seen in one generation of event time: `floor(at / generationMs)`. */
export interface SeenGeneration {
  readonly generation: number
  /** Distinct 20-bit fingerprints, ascending. */
  readonly fingerprints: Uint32Array
}

/** Bounds of `Seen`. */
export interface SeenLimits {
  readonly maxRecent: number
  readonly generationMs: number
  readonly maxPerGeneration: number
}

/** Nothing seen. */
export const nothingSeen: Seen = { pins: new Uint32Array(0), atMs: new Float64Array(0), older: [] }

/** Whether the user saw this pin. No false negatives within the bounds; false positives as rarely as `Seen` documents. */
export function hasSeen(seen: Seen, pinId: string): boolean {
  return hasSeenHash(seen, hash32(pinId))
}

/** The same for the `hash32` of a pin. */
export function hasSeenHash(seen: Seen, fingerprint: number): boolean {
  if (seen.pins.includes(fingerprint)) return true
  return seen.older.some(({ fingerprints }) => find(fingerprints, fingerprint % filterRange) >= 0)
}

/** When the user last saw this pin, if it is among the newest; null: not among them. */
export function lastSeenAtMs(seen: Seen, pinId: string): number | null {
  return seen.atMs[seen.pins.indexOf(hash32(pinId))] ?? null
}

/** Probability that an unseen pin counts as seen, from the fill of the sets. */
export function seenFalsePositiveRate(seen: Seen): number {
  const misses = seen.older.reduce((product, { fingerprints }) => product * (1 - fingerprints.length / filterRange), 1)
  return 1 - misses * (1 - seen.pins.length / 2 ** 32)
}

/** A pin and when it was seen, milliseconds since the epoch. */
export interface Sight {
  readonly pinId: string
  readonly atMs: number
}

/**
 * Adds sights. Order-free: the newest are the top of a set, the sets of a generation are unions. Only a generation at
 * its cap refuses later sights, which keeps the documented rate of false positives.
 */
export function foldSeen(seen: Seen, sights: readonly Sight[], limits: SeenLimits): Seen {
  if (sights.length === 0) return seen
  const newest = growing(seen, sights.length)
  const older = filtersOf(seen, sights.length)
  for (const { pinId, atMs } of sights) {
    const fingerprint = hash32(pinId)
    see(newest, fingerprint, Math.floor(atMs / seenResolutionMs) * seenResolutionMs)
    note(older, Math.floor(atMs / limits.generationMs), fingerprint % filterRange, limits, sights.length)
  }
  return seenOf(newest, older, limits)
}

/** What either has seen. A generation at its cap keeps what `a` has. */
export function mergeSeen(a: Seen, b: Seen, limits: SeenLimits): Seen {
  const newest = growing(a, b.pins.length)
  b.pins.forEach((fingerprint, row) => {
    see(newest, fingerprint, b.atMs[row] ?? 0)
  })
  const room = b.older.reduce((most, { fingerprints }) => Math.max(most, fingerprints.length), 0)
  const older = filtersOf(a, room)
  for (const { generation, fingerprints } of b.older)
    for (const fingerprint of fingerprints) note(older, generation, fingerprint, limits, room)
  return seenOf(newest, older, limits)
}

function filtersOf(seen: Seen, room: number): Filter[] {
  return seen.older.map(({ generation, fingerprints }) => filterOf(generation, fingerprints, room))
}

function seenOf(newest: Newest, older: readonly Filter[], limits: SeenLimits): Seen {
  const surplus = Math.max(0, newest.length - limits.maxRecent)
  return {
    pins: newest.pins.slice(surplus, newest.length),
    atMs: newest.atMs.slice(surplus, newest.length),
    older: older.map(({ generation, fingerprints, length }) => ({
      generation,
      fingerprints: fingerprints.slice(0, length),
    })),
  }
}

interface Newest {
  readonly pins: Uint32Array
  readonly atMs: Float64Array
  length: number
}

interface Filter {
  readonly generation: number
  readonly fingerprints: Uint32Array
  length: number
}

function growing(seen: Seen, room: number): Newest {
  const { length } = seen.pins
  const pins = new Uint32Array(length + room)
  const atMs = new Float64Array(length + room)
  pins.set(seen.pins)
  atMs.set(seen.atMs)
  return { pins, atMs, length }
}

function filterOf(generation: number, fingerprints: Uint32Array, room: number): Filter {
  const { length } = fingerprints
  const grown = new Uint32Array(length + room)
  grown.set(fingerprints)
  return { generation, fingerprints: grown, length }
}

function see(newest: Newest, fingerprint: number, atMs: number): void {
  const { pins, atMs: times } = newest
  const known = pins.subarray(0, newest.length).indexOf(fingerprint)
  if (known >= 0) {
    if ((times[known] ?? 0) >= atMs) return
    pins.copyWithin(known, known + 1, newest.length)
    times.copyWithin(known, known + 1, newest.length)
    newest.length--
  }
  let at = newest.length
  while (at > 0 && isBefore(atMs, fingerprint, times[at - 1] ?? 0, pins[at - 1] ?? 0)) at--
  pins.copyWithin(at + 1, at, newest.length)
  times.copyWithin(at + 1, at, newest.length)
  pins[at] = fingerprint
  times[at] = atMs
  newest.length++
}

function note(
  older: Filter[],
  generation: number,
  fingerprint: number,
  { maxPerGeneration }: SeenLimits,
  room: number,
): void {
  const newest = older.at(-1)?.generation ?? generation
  if (generation < newest - 1) return
  let filter = older.find((kept) => kept.generation === generation)
  if (filter === undefined) {
    filter = filterOf(generation, new Uint32Array(0), room)
    older.push(filter)
    older.sort((a, b) => a.generation - b.generation)
    while ((older[0]?.generation ?? 0) < Math.max(newest, generation) - 1) older.shift()
  }
  const { fingerprints, length } = filter
  const found = find(fingerprints, fingerprint, length)
  if (found >= 0 || length >= maxPerGeneration) return
  const at = -found - 1
  fingerprints.copyWithin(at + 1, at, length)
  fingerprints[at] = fingerprint
  filter.length++
}

function isBefore(atMs: number, fingerprint: number, otherAtMs: number, other: number): boolean {
  return atMs === otherAtMs ? fingerprint < other : atMs < otherAtMs
}

/** Its index, or `−(insertion point) − 1`. */
function find(ascending: Uint32Array, value: number, length = ascending.length): number {
  let low = 0
  let high = length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = ascending[middle] ?? 0
    if (found === value) return middle
    if (found < value) low = middle + 1
    else high = middle - 1
  }
  return -low - 1
}

/** What these features read of a page. */
interface SeenPage {
  readonly user: { readonly seen: Seen } | null
  readonly pinIds: readonly string[]
  readonly atMs: number
}

const notSeen = -1
const seenBefore = -2
// Both features read the same places, so a page searches for its pins once.
const placesOf = new WeakMap<object, Int32Array>()

/** Bits of a fingerprint by which most pins that the user never saw are recognised without a search. */
const quickBits = 16
const quickMask = 2 ** quickBits - 1
const quick = new Uint8Array(2 ** quickBits)

/** For each pin its index among the newest that the user saw, `seenBefore` if it is only in a set of older ones, or `notSeen`. */
function placesIn(page: Met<SeenPage, 'user'>): Int32Array {
  const known = placesOf.get(page)
  if (known !== undefined) return known
  const { pins, older } = page.user.seen
  for (const fingerprint of pins) quick[fingerprint & quickMask] = 1
  for (const { fingerprints } of older) for (const fingerprint of fingerprints) quick[fingerprint & quickMask] = 1
  const places = new Int32Array(page.pinIds.length)
  for (let row = 0; row < places.length; row++) {
    const fingerprint = hash32(page.pinIds[row]!)
    places[row] = quick[fingerprint & quickMask] === 0 ? notSeen : placeOf(page.user.seen, fingerprint)
  }
  for (const fingerprint of pins) quick[fingerprint & quickMask] = 0
  for (const { fingerprints } of older) for (const fingerprint of fingerprints) quick[fingerprint & quickMask] = 0
  placesOf.set(page, places)
  return places
}

function placeOf({ pins, older }: Seen, fingerprint: number): number {
  const place = pins.indexOf(fingerprint)
  if (place >= 0) return place
  return older.some(({ fingerprints }) => find(fingerprints, fingerprint % filterRange) >= 0) ? seenBefore : notSeen
}

const scalar = scalarOver<SeenPage>()

/** How recently the user saw the pin: 1 just now, 0.67 half an hour ago, 0 never. */
export const seenFeatures: readonly Feature<SeenPage>[] = [
  scalar({
    name: 'seen_before',
    unit: '0 or 1',
    missing: 0,
    needs: ['user'],
    column: (page, out) => {
      const places = placesIn(page)
      for (let row = 0; row < places.length; row++) out[row] = places[row] === notSeen ? 0 : 1
    },
  }),
  scalar({
    name: 'seen_recency',
    unit: '1 / (1 + hours)',
    missing: 0,
    needs: ['user'],
    column: (page, out) => {
      const places = placesIn(page)
      const { atMs } = page.user.seen
      for (let row = 0; row < places.length; row++)
        out[row] = places[row]! < 0 ? 0 : 1 / (1 + hours(page.atMs - atMs[places[row]!]!))
    },
  }),
]
