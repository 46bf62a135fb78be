import { hash32 } from '../hash.ts'
import { hours, scalar, type Feature } from './feature.ts'

/** Bits of a fingerprint in the filters for older pins. */
export const filterBits = 20
/** Times of what was seen are kept to the second, milliseconds. */
export const seenResolutionMs = 1000
const filterRange = 2 ** filterBits

/**
 * The pins a user has seen. The newest are kept by a 32-bit fingerprint with the time (a pin not seen is taken for one
 * of 64 with probability 1.5e-8); all of a generation of time are also in a set of 20-bit fingerprints, of which the two
 * newest generations stay. With n pins in a set a pin not seen is taken for seen with probability n / 2^20: 0.14 % at
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

/** What was seen in one generation of event time: `floor(at / generationMs)`. */
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

/** Whether the user saw this pin: never a wrong no within the bounds, a wrong yes as rarely as `Seen` says. */
export function hasSeen(seen: Seen, pinId: string): boolean {
  const fingerprint = hash32(pinId)
  if (seen.pins.includes(fingerprint)) return true
  return seen.older.some(({ fingerprints }) => find(fingerprints, fingerprint % filterRange) >= 0)
}

/** When the user last saw this pin, if it is among the newest; null: not among them. */
export function lastSeenAtMs(seen: Seen, pinId: string): number | null {
  return seen.atMs[seen.pins.indexOf(hash32(pinId))] ?? null
}

/** Probability that a pin not seen is taken for a seen one, from how full the sets are. */
export function seenFalsePositiveRate(seen: Seen): number {
  const misses = seen.older.reduce((product, { fingerprints }) => product * (1 - fingerprints.length / filterRange), 1)
  return 1 - misses * (1 - seen.pins.length / 2 ** 32)
}

/**
 * Adds one sight. Order-free: the newest are the top of a set, the sets of a generation are unions. Only a generation at
 * its cap refuses what comes later, so that the stated rate of wrong yeses holds.
 */
export function foldSeen(seen: Seen, pinId: string, sightMs: number, limits: SeenLimits): Seen {
  const fingerprint = hash32(pinId)
  const atMs = Math.floor(sightMs / seenResolutionMs) * seenResolutionMs
  return {
    ...foldNewest(seen, fingerprint, atMs, limits.maxRecent),
    older: foldOlder(seen.older, fingerprint % filterRange, Math.floor(atMs / limits.generationMs), limits),
  }
}

function foldNewest(seen: Seen, fingerprint: number, atMs: number, maxRecent: number): Pick<Seen, 'pins' | 'atMs'> {
  const { length } = seen.pins
  const known = seen.pins.indexOf(fingerprint)
  if (known >= 0 && (seen.atMs[known] ?? 0) >= atMs) return seen
  let at = length
  while (at > 0 && isBefore(atMs, fingerprint, seen.atMs[at - 1] ?? 0, seen.pins[at - 1] ?? 0)) at--
  const pins = new Uint32Array(length + (known >= 0 ? 0 : 1))
  const times = new Float64Array(pins.length)
  let out = 0
  for (let row = 0; row <= length; row++) {
    if (row === at) {
      pins[out] = fingerprint
      times[out++] = atMs
    }
    if (row === length || row === known) continue
    pins[out] = seen.pins[row] ?? 0
    times[out++] = seen.atMs[row] ?? 0
  }
  const surplus = Math.max(0, pins.length - maxRecent)
  return { pins: pins.subarray(surplus), atMs: times.subarray(surplus) }
}

function foldOlder(
  older: readonly SeenGeneration[],
  fingerprint: number,
  generation: number,
  { maxPerGeneration }: SeenLimits,
): readonly SeenGeneration[] {
  const newest = older.at(-1)?.generation ?? generation
  if (generation < newest - 1) return older
  const current = older.find((kept) => kept.generation === generation)
  if (current === undefined) {
    const kept = older.filter((entry) => entry.generation >= Math.max(newest, generation) - 1)
    return [...kept, { generation, fingerprints: Uint32Array.of(fingerprint) }].sort(
      (a, b) => a.generation - b.generation,
    )
  }
  const { fingerprints } = current
  const found = find(fingerprints, fingerprint)
  if (found >= 0 || fingerprints.length >= maxPerGeneration) return older
  const at = -found - 1
  const grown = new Uint32Array(fingerprints.length + 1)
  grown.set(fingerprints.subarray(0, at))
  grown[at] = fingerprint
  grown.set(fingerprints.subarray(at), at + 1)
  return older.map((kept) => (kept === current ? { generation, fingerprints: grown } : kept))
}

function isBefore(atMs: number, fingerprint: number, otherAtMs: number, other: number): boolean {
  return atMs === otherAtMs ? fingerprint < other : atMs < otherAtMs
}

/** Its index, or `−(where it would stand) − 1`. */
function find(ascending: Uint32Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = ascending[middle] ?? 0
    if (found === value) return middle
    if (found < value) low = middle + 1
    else high = middle - 1
  }
  return -low - 1
}

/** Whether and when the user saw the pin: 1 just now, 0 never; half an hour ago 0.67. */
export const seenFeatures: readonly Feature[] = [
  scalar({
    name: 'seen_before',
    unit: '0 or 1',
    missing: 0,
    needs: ['user'],
    value: ({ user, pinId }) => (hasSeen(user.seen, pinId) ? 1 : 0),
  }),
  scalar({
    name: 'seen_recency',
    unit: '1 / (1 + hours)',
    missing: 0,
    needs: ['user'],
    value: ({ user, pinId, atMs }) => {
      const seenAtMs = lastSeenAtMs(user.seen, pinId)
      return seenAtMs === null ? 0 : 1 / (1 + hours(atMs - seenAtMs))
    },
  }),
]
