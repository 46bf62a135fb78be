import type { PinId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'

import type { Catalogue } from '../catalogue.ts'
import type { Sessions } from '../sessions.ts'

/** Which of the users' trails an instance holds: those of the users whose key's partition among `count` is `index`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** Whether the trail of a user is among the shard's. */
export function holdsUser({ index, count }: Shard, userId: string): boolean {
  return count === 1 || partitionOf(userId, count) === index
}

/** Pins whose trails a request reads, how many of each, and further pins that it must know the rarity of. */
export interface TrailsWanted {
  readonly pinIds: readonly PinId[]
  readonly maxTrailsPerPin: number
  readonly countedPinIds: readonly PinId[]
}

/**
 * What one shard knows of the trails through some pins, in columns fit for sending: trails (`keyHighs`, `keyLows`,
 * `lastAtMs`, `lengths`), their pins one trail after the other as places in `pinIds`, and which of the asked pins which
 * trail touched last when (`touchedPins`, `touchingTrails`, `touchedAtMs`).
 */
export interface TrailPart {
  readonly keyHighs: Uint32Array
  readonly keyLows: Uint32Array
  readonly lastAtMs: Float64Array
  readonly lengths: Uint32Array
  readonly pinPlaces: Uint32Array
  readonly pinIds: readonly PinId[]
  readonly touchedPins: Uint32Array
  readonly touchingTrails: Uint32Array
  readonly touchedAtMs: Float64Array
}

/** What one shard counted: how many of its trails ever held each of the asked pins, and how many it ever had. */
export interface TrailTally {
  readonly trailsEver: number
  readonly counts: Float64Array
}

/** A shard as the merge asks it, in this process or another; what it can't give in time it rejects. */
export interface TrailShard {
  /** The shard's latest trails of each asked pin, each trail once. */
  part(pinIds: readonly PinId[], maxTrailsPerPin: number): Promise<TrailPart>
  tally(pinIds: readonly PinId[]): Promise<TrailTally>
}

interface TrailViews {
  readonly catalogue: Catalogue
  readonly trails: Sessions
}

/** The part of this process's trails. */
export function trailPartOf(
  { catalogue, trails }: TrailViews,
  pinIds: readonly PinId[],
  maxTrailsPerPin: number,
): TrailPart {
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
    lengths: Uint32Array.from(trailRows, trails.lengthOf),
    pinPlaces: Uint32Array.from(pinPlaces),
    pinIds: [...dictionary.keys()].map((row) => catalogue.pinIdOf(row)),
    touchedPins: Uint32Array.from(touchedPins),
    touchingTrails: Uint32Array.from(touchingTrails),
    touchedAtMs: Float64Array.from(touchedAtMs),
  }
}

/** The counts of this process's trails. */
export function trailTallyOf({ catalogue, trails }: TrailViews, pinIds: readonly PinId[]): TrailTally {
  return {
    trailsEver: trails.sessionsEver,
    counts: Float64Array.from(pinIds, (pinId) => {
      const row = catalogue.rowOf(pinId)
      return row < 0 ? 0 : trails.sessionCountOf(row)
    }),
  }
}
