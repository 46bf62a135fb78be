import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from '../views/catalogue.ts'
import type { LagCounts } from './lags.ts'
import type { Asker, ListName, NeighbourIndex } from './neighbour-index.ts'

/**
 * The part of one list of the index that a request reads: the pins whose trails or sessions it wants, how many of each,
 * further pins whose rarity it needs, and the asker, whose own trail must be recognised.
 */
export interface ListWanted {
  readonly list: ListName
  readonly pinIds: readonly PinId[]
  readonly maxPerPin: number
  readonly countedPinIds: readonly PinId[]
  readonly asker: Asker | null
}

/**
 * What one shard knows of the trails (or sessions) through some pins, in columns fit for sending: trails (`keyHighs`,
 * `keyLows`, `lastAtMs`, `lengths`), their pins one trail after the other as places in `pinIds` (0xffffffff for one that
 * has gone), which of the asked pins
 * which trail touched last when (`touchedPins`, `touchingTrails`, `touchedAtMs`), and the place of the asker's own, -1
 * where it is not among them.
 */
export interface ListPart {
  readonly keyHighs: Uint32Array
  readonly keyLows: Uint32Array
  readonly lastAtMs: Float64Array
  readonly lengths: Uint32Array
  readonly pinPlaces: Uint32Array
  readonly pinIds: readonly PinId[]
  readonly touchedPins: Uint32Array
  readonly touchingTrails: Uint32Array
  readonly touchedAtMs: Float64Array
  readonly ownPlace: number
}

/** The entry of `pinPlaces` for a gone pin. */
const gonePlace = 0xffffffff

/** The counts of one shard: how many of its trails ever held each requested pin, how many trails it ever had, and its users' lags. */
export interface ListTally {
  readonly ever: number
  readonly counts: Float64Array
  readonly lags: LagCounts
}

/** The parts of one list from all shards. */
export interface GatheredList {
  readonly wanted: ListWanted
  readonly parts: readonly ListPart[]
  /** The pins whose counts are in `tallies`. */
  readonly countedPinIds: readonly PinId[]
  readonly tallies: readonly ListTally[]
  /** False if a shard returned no part or no counts. */
  readonly isComplete: boolean
}

/** A shard in this process or another. Its calls reject if it can't answer in time. */
export interface IndexShard {
  /** The shard's latest trails of each wanted pin, each trail once. */
  part(wanted: ListWanted): Promise<ListPart>
  tally(list: ListName, pinIds: readonly PinId[]): Promise<ListTally>
}

/** The views that a part is read from. */
export interface IndexViews {
  readonly catalogue: Catalogue
  readonly index: NeighbourIndex
}

/** Reads this process's part. */
export function readPart(
  { catalogue, index }: IndexViews,
  { list, pinIds, maxPerPin, asker }: Omit<ListWanted, 'countedPinIds'>,
): ListPart {
  const lists = index[list]
  const places = new Map<number, number>()
  const rows: number[] = []
  const touchedPins: number[] = []
  const touchingTrails: number[] = []
  const touchedAtMs: number[] = []
  pinIds.forEach((pinId, asked) => {
    const pinRow = catalogue.rowOf(pinId)
    if (pinRow < 0) return
    const first = lists.pinStartOf(pinRow)
    const end = first + lists.pinLengthOf(pinRow)
    for (let at = Math.max(first, end - maxPerPin); at < end; at++) {
      const row = lists.sessionRows[at]!
      let place = places.get(row)
      if (place === undefined) {
        place = rows.push(row) - 1
        places.set(row, place)
      }
      touchedPins.push(asked)
      touchingTrails.push(place)
      touchedAtMs.push(lists.sessionAtMs[at]!)
    }
  })
  const dictionary = new Map<number, number>()
  const pinPlaces: number[] = []
  for (const row of rows) {
    const start = lists.startOf(row)
    for (let i = start; i < start + lists.lengthOf(row); i++) {
      const pinRow = lists.pinRows[i]!
      if (catalogue.isGone(pinRow)) {
        pinPlaces.push(gonePlace)
        continue
      }
      const place = dictionary.get(pinRow) ?? dictionary.size
      dictionary.set(pinRow, place)
      pinPlaces.push(place)
    }
  }
  const own = asker === null ? -1 : lists.find(asker.userId, asker.sessionId, asker.atMs)
  return {
    keyHighs: Uint32Array.from(rows, lists.keyHigh),
    keyLows: Uint32Array.from(rows, lists.keyLow),
    lastAtMs: Float64Array.from(rows, lists.lastAtMs),
    lengths: Uint32Array.from(rows, lists.lengthOf),
    pinPlaces: Uint32Array.from(pinPlaces),
    pinIds: [...dictionary.keys()].map((row) => catalogue.pinIdOf(row)),
    touchedPins: Uint32Array.from(touchedPins),
    touchingTrails: Uint32Array.from(touchingTrails),
    touchedAtMs: Float64Array.from(touchedAtMs),
    ownPlace: places.get(own) ?? -1,
  }
}

/** Reads this process's counts. */
export function readTally({ catalogue, index }: IndexViews, list: ListName, pinIds: readonly PinId[]): ListTally {
  const lists = index[list]
  return {
    ever: lists.sessionsEver,
    counts: Float64Array.from(pinIds, (pinId) => {
      const row = catalogue.rowOf(pinId)
      return row < 0 ? 0 : lists.sessionCountOf(row)
    }),
    lags: { chances: index.lags.chances.slice(), returns: index.lags.returns.slice() },
  }
}
