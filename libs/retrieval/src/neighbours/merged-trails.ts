import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../catalogue.ts'
import { userKeyOf, type Sessions } from '../sessions.ts'
import type { TrailPart, TrailShard, TrailTally, TrailsWanted } from './trail-part.ts'

/** What the shards gave for one request. */
export interface GatheredTrails {
  readonly wanted: TrailsWanted
  readonly parts: readonly TrailPart[]
  /** The pins of which `tallies` hold the counts. */
  readonly countedPinIds: readonly PinId[]
  readonly tallies: readonly TrailTally[]
  /** False where a shard gave nothing, or no counts. */
  readonly complete: boolean
}

/**
 * Scatter and gather: each shard gives its latest trails of the wanted pins; a second round asks how often the pins in
 * them, and those wanted, were ever touched. Never rejects: a shard that does is left out.
 */
export async function gatherTrails(shards: readonly TrailShard[], wanted: TrailsWanted): Promise<GatheredTrails> {
  const { pinIds, maxTrailsPerPin } = wanted
  const first = await Promise.allSettled(shards.map((shard) => shard.part(pinIds, maxTrailsPerPin)))
  const answered = shards.filter((_, i) => first[i]?.status === 'fulfilled')
  const parts = fulfilled(first)
  const countedPinIds = [...new Set([...wanted.countedPinIds, ...parts.flatMap((part) => part.pinIds)])]
  const tallies = fulfilled(await Promise.allSettled(answered.map((shard) => shard.tally(countedPinIds))))
  return { wanted, parts, countedPinIds, tallies, complete: tallies.length === shards.length }
}

function fulfilled<Value>(results: readonly PromiseSettledResult<Value>[]): Value[] {
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/**
 * The trails view as it would be over all users, for reading, as far as one request looks: the trails through the wanted
 * pins and the counts of the pins in them. Pins that the catalogue has not heard of yet are passed over.
 */
export function mergeTrails(
  { wanted, parts, countedPinIds, tallies }: GatheredTrails,
  { catalogue, trails }: { readonly catalogue: Catalogue; readonly trails: Sessions },
): Sessions {
  const size = parts.reduce((sum, part) => sum + part.keyHighs.length, 0)
  const starts = new Int32Array(size)
  const lengths = new Int32Array(size)
  const lastAtMs = new Float64Array(size)
  const keyHighs = new Uint32Array(size)
  const keyLows = new Uint32Array(size)
  const pinRows = new Int32Array(parts.reduce((sum, part) => sum + part.pinPlaces.length, 0))
  const touches: { readonly row: number; readonly atMs: number }[][] = wanted.pinIds.map(() => [])
  let count = 0
  let filled = 0
  for (const part of parts) {
    const rows = part.pinIds.map((pinId) => catalogue.rowOf(pinId))
    for (let i = 0; i < part.touchedPins.length; i++) {
      const row = count + (part.touchingTrails[i] ?? 0)
      touches[part.touchedPins[i] ?? 0]?.push({ row, atMs: part.touchedAtMs[i] ?? 0 })
    }
    let at = 0
    for (let trail = 0; trail < part.keyHighs.length; trail++, count++) {
      starts[count] = filled
      for (let n = part.lengths[trail] ?? 0; n > 0; n--) {
        const row = rows[part.pinPlaces[at++] ?? 0] ?? -1
        if (row >= 0) pinRows[filled++] = row
      }
      lengths[count] = filled - (starts[count] ?? 0)
      lastAtMs[count] = part.lastAtMs[trail] ?? 0
      keyHighs[count] = part.keyHighs[trail] ?? 0
      keyLows[count] = part.keyLows[trail] ?? 0
    }
  }

  const sessionRows: number[] = []
  const sessionAtMs: number[] = []
  const lists = new Map<number, { readonly start: number; readonly length: number }>()
  wanted.pinIds.forEach((pinId, asked) => {
    // As the view orders the trails of a pin: by time, then by key; the last ones are kept.
    const ofPin = (touches[asked] ?? []).sort(
      (a, b) =>
        a.atMs - b.atMs ||
        (keyHighs[a.row] ?? 0) - (keyHighs[b.row] ?? 0) ||
        (keyLows[a.row] ?? 0) - (keyLows[b.row] ?? 0),
    )
    const latest = ofPin.slice(Math.max(0, ofPin.length - wanted.maxTrailsPerPin))
    lists.set(catalogue.rowOf(pinId), { start: sessionRows.length, length: latest.length })
    for (const { row, atMs } of latest) {
      sessionRows.push(row)
      sessionAtMs.push(atMs)
    }
  })
  const counts = new Map(
    countedPinIds.map((pinId, i) => [
      catalogue.rowOf(pinId),
      tallies.reduce((sum, tally) => sum + (tally.counts[i] ?? 0), 0),
    ]),
  )

  return {
    ...trails,
    size,
    rowLimit: size,
    pinRows,
    sessionRows: Int32Array.from(sessionRows),
    sessionAtMs: Float64Array.from(sessionAtMs),
    sessionsEver: tallies.reduce((sum, { trailsEver }) => sum + trailsEver, 0),
    startOf: (trail) => starts[trail] ?? 0,
    lengthOf: (trail) => lengths[trail] ?? 0,
    lastAtMs: (trail) => lastAtMs[trail] ?? 0,
    keyHigh: (trail) => keyHighs[trail] ?? 0,
    keyLow: (trail) => keyLows[trail] ?? 0,
    isKey: (trail, key) => keyHighs[trail] === key.high && keyLows[trail] === key.low,
    find(userId) {
      const { high, low } = userKeyOf(userId)
      return keyHighs.findIndex((keyHigh, trail) => keyHigh === high && keyLows[trail] === low)
    },
    pinStartOf: (row) => lists.get(row)?.start ?? 0,
    pinLengthOf: (row) => lists.get(row)?.length ?? 0,
    sessionCountOf: (row) => counts.get(row) ?? 0,
  }
}
