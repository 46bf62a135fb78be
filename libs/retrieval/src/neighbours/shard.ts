import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../catalogue.ts'
import type { SessionKey, Sessions } from '../sessions.ts'

/**
 * What one shard knows of a user's neighbours, in columns fit for sending: trails (`keyHighs`, `keyLows`, `lastAtMs`,
 * `lengths`), their pins one trail after the other as places in `pinIds`, and which of the asked pins which trail
 * touched last when (`touchedPins`, `touchingTrails`, `touchedAtMs`).
 */
export interface NeighbourPartial {
  readonly keyHighs: Uint32Array
  readonly keyLows: Uint32Array
  readonly lastAtMs: Float64Array
  readonly lengths: Int32Array
  readonly pinPlaces: Int32Array
  readonly pinIds: readonly PinId[]
  readonly touchedPins: Int32Array
  readonly touchingTrails: Int32Array
  readonly touchedAtMs: Float64Array
}

/** How many of a shard's trails hold each of the asked pins, and how many trails it ever had. */
export interface ShardCounts {
  readonly trailsEver: number
  readonly counts: Float64Array
}

/** The neighbour index over some of the users: those of the partitions that this process owns. */
export interface NeighbourShard {
  /** The shard's latest trails of each asked pin, each trail once. */
  gather(pinIds: readonly PinId[]): NeighbourPartial
  counts(pinIds: readonly PinId[]): ShardCounts
}

/** A shard over its own trails view; `maxTrailsPerPin` must be the one of the merge. */
export function createNeighbourShard({
  catalogue,
  trails,
  maxTrailsPerPin,
}: {
  readonly catalogue: Catalogue
  readonly trails: Sessions
  readonly maxTrailsPerPin: number
}): NeighbourShard {
  return {
    gather(pinIds) {
      const places = new Map<number, number>()
      const trailRows: number[] = []
      const touchedPins: number[] = []
      const touchingTrails: number[] = []
      const touchedAtMs: number[] = []
      pinIds.forEach((pinId, asked) => {
        const row = catalogue.rowOf(pinId)
        if (row < 0) return
        const first = trails.pinStartOf(row)
        const end = first + trails.pinLengthOf(row)
        for (let at = Math.max(first, end - maxTrailsPerPin); at < end; at++) {
          const trail = trails.sessionRows[at] ?? 0
          let place = places.get(trail)
          if (place === undefined) {
            place = trailRows.push(trail) - 1
            places.set(trail, place)
          }
          touchedPins.push(asked)
          touchingTrails.push(place)
          touchedAtMs.push(trails.sessionAtMs[at] ?? 0)
        }
      })
      const dictionary = new Map<number, number>()
      const pinPlaces: number[] = []
      for (const trail of trailRows) {
        const start = trails.startOf(trail)
        for (let i = start; i < start + trails.lengthOf(trail); i++) {
          const row = trails.pinRows[i] ?? 0
          const place = dictionary.get(row) ?? dictionary.size
          dictionary.set(row, place)
          pinPlaces.push(place)
        }
      }
      return {
        keyHighs: Uint32Array.from(trailRows, trails.keyHigh),
        keyLows: Uint32Array.from(trailRows, trails.keyLow),
        lastAtMs: Float64Array.from(trailRows, trails.lastAtMs),
        lengths: Int32Array.from(trailRows, trails.lengthOf),
        pinPlaces: Int32Array.from(pinPlaces),
        pinIds: [...dictionary.keys()].map((row) => catalogue.pinIdOf(row)),
        touchedPins: Int32Array.from(touchedPins),
        touchingTrails: Int32Array.from(touchingTrails),
        touchedAtMs: Float64Array.from(touchedAtMs),
      }
    },
    counts: (pinIds) => ({
      trailsEver: trails.sessionsEver,
      counts: Float64Array.from(pinIds, (pinId) => {
        const row = catalogue.rowOf(pinId)
        return row < 0 ? 0 : trails.sessionCountOf(row)
      }),
    }),
  }
}

/** The trails of all shards together: which of them are among the latest `maxTrailsPerPin` of some asked pin. */
export function latestOfAll(
  partials: readonly NeighbourPartial[],
  { asked, maxTrailsPerPin }: { readonly asked: number; readonly maxTrailsPerPin: number },
): readonly Uint8Array[] {
  const kept = partials.map(({ keyHighs }) => new Uint8Array(keyHighs.length))
  const touches: { readonly shard: number; readonly trail: number; readonly atMs: number }[][] = Array.from(
    { length: asked },
    () => [],
  )
  partials.forEach(({ touchedPins, touchingTrails, touchedAtMs }, shard) => {
    for (let i = 0; i < touchedPins.length; i++) {
      touches[touchedPins[i] ?? 0]?.push({ shard, trail: touchingTrails[i] ?? 0, atMs: touchedAtMs[i] ?? 0 })
    }
  })
  const keyOf = (shard: number, trail: number): SessionKey => ({
    high: partials[shard]?.keyHighs[trail] ?? 0,
    low: partials[shard]?.keyLows[trail] ?? 0,
  })
  for (const ofPin of touches) {
    // As the view orders the trails of a pin: by time, then by key; the last ones are kept.
    ofPin.sort((a, b) => {
      const [keyA, keyB] = [keyOf(a.shard, a.trail), keyOf(b.shard, b.trail)]
      return b.atMs - a.atMs || keyB.high - keyA.high || keyB.low - keyA.low
    })
    for (const { shard, trail } of ofPin.slice(0, maxTrailsPerPin)) {
      const column = kept[shard]
      if (column !== undefined) column[trail] = 1
    }
  }
  return kept
}
