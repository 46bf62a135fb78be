import { hash32 } from '@freshet/domain/hash'
import type { CreatorId, PinId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { writePinKey } from '@freshet/domain/pin-keys'

import { grownFloat64, grownUint8, grownUint32, nextCapacity } from '@freshet/columns/growth'
import { createDescriptions, type ReadDescriptions, type WordCaps } from './descriptions.ts'
import { createRecency } from '@freshet/columns/recency'
import { createRecycling, type RowHolder } from './recycling.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The row that replaces a gone pin in lists. No pin ever has it. */
export const goneRow = 0

// In this order, because pins above a threshold are shown. The row of a gone pin waits until no list holds it.
const free = 0
const gone = 1
const deleted = 2
const withheld = 3
const unlisted = 4
const listed = 5

/**
 * The pins in columns, by row number. `listed`: the catalogue's owner has described the pin. `unlisted`: it is known only
 * from engagements or its embedding; it teaches the views, but is shown only with `showUnlistedPins`. The row of a gone
 * pin is reused once no list holds it. A pin that was described, of a creator who is suspended or deleted, is withheld. -1 means "none" everywhere.
 */
export interface Catalogue extends ReadDescriptions {
  /** One past the largest row ever used. */
  readonly size: number
  counts(): CatalogueCounts
  /** The row of a pin; an unknown pin gets a row as unlisted. -1 if the catalogue is full. `atMs`: the newest known time. */
  intern(pinId: PinId, atMs?: number): number
  /** The row of a known pin, else -1. */
  rowOf(pinId: string): number
  pinIdOf(row: number): PinId
  /** Stores the owner's description of a pin and returns its row; -1 if the catalogue is full. */
  upsert(pin: Pin): number
  /** Deletes a pin and returns -1, or its row if it is kept as deleted because unlisted pins are shown. */
  remove(pinId: PinId): number
  /** Withholds the pins of a creator, those that come later too, or shows them again. Returns the rows that this changed. */
  closeCreator(creatorId: CreatorId, isClosed: boolean): readonly number[]
  /** Whether a pin may be recommended. */
  isShown(row: number): boolean
  isListed(row: number): boolean
  /** Whether the pin of the row is gone. */
  isGone(row: number): boolean
  /** Seeded hash of the pin id: the smaller hash comes first if scores are equal. */
  tieOf(row: number): number
  /** `hash32` of the pin id, by which users' states know pins. */
  hashOf(row: number): number
  /** The lower half of the pin's key, by which served sets know pins. */
  keyOf(row: number): number
  /** Whether row `a` comes before row `b` if their scores are equal. A total order. */
  before(a: number, b: number): boolean
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** The number of pins, and of pins and descriptions that found no room since the start. */
export interface CatalogueCounts {
  readonly listed: number
  readonly unlisted: number
  /** Pins that found no row. */
  readonly refused: number
  /** Times a pin was not listed because its creator, a topic or its locale found no room. */
  readonly refusedWords: number
  /** Unlisted pins dropped: idle for too long, or beyond the cap. */
  readonly expired: number
  /** Suspended and deleted creators beyond `maxCreators`: their pins are found, and the blender removes them. */
  readonly unclosedCreators: number
}

/** Caps, and callbacks for pins that change or go. */
export interface CatalogueOptions extends WordCaps {
  readonly maxPins: number
  /** Orders ties. */
  readonly seed: number
  /** The most unlisted pins; beyond that the pin idle for longest goes. Ignored if unlisted pins are shown. */
  readonly maxUnlistedPins?: number
  /** An unlisted pin goes when nobody has touched it for this long, unless unlisted pins are shown. */
  readonly unlistedTtlMs?: number
  readonly showUnlistedPins?: boolean
  /** The most rows of gone pins that wait for reuse, in addition to `maxPins`. */
  readonly spareRows?: number
  /** Lists that may hold rows of gone pins until they are cleaned. */
  readonly holders?: () => readonly RowHolder[]
  /** Called before the pin's description changes or the pin goes. */
  readonly onUndescribe?: (row: number) => void
  /** Called when the pin goes: drops everything stored under its row. The row still describes the pin. */
  readonly onGone?: (row: number) => void
}

/** An empty catalogue. */
export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { maxPins, seed, showUnlistedPins: showsUnlisted = false, unlistedTtlMs = Infinity } = options
  const maxUnlisted = showsUnlisted ? maxPins : Math.min(maxPins, options.maxUnlistedPins ?? maxPins)
  const shownFrom = showsUnlisted ? unlisted : listed
  let rows = new Map<string, number>()
  let pinIds: (PinId | null)[] = [null]
  let freeRows: number[] = []
  const { describe, clear, grow: growDescriptions, ...descriptions } = createDescriptions(options)
  // Unlisted and deleted pins go first when there is no room.
  const idle = createRecency()
  let [listedPins, unlistedPins, refused, refusedWords, expired] = [0, 0, 0, 0, 0]
  let unclosedCreators = 0
  let closedCreators = new Set<string>()
  let idCharacters = 0
  let state = Uint8Array.of(gone)
  let tie = new Uint32Array(1)
  let hash = new Uint32Array(1)
  let key = new Uint32Array(1)
  const keyHigh = new Uint32Array(1)
  const keyLow = new Uint32Array(1)
  let touchedAtMs = new Float64Array(1)
  const recycling = createRecycling({
    spareRows: options.spareRows ?? Math.max(1024, maxPins >> 4),
    holders: options.holders ?? (() => []),
    free(row) {
      state[row] = free
      freeRows.push(row)
    },
  })

  function grow(needed: number): void {
    if (needed <= state.length) return
    const capacity = nextCapacity(state.length, needed)
    state = grownUint8(state, capacity)
    tie = grownUint32(tie, capacity)
    hash = grownUint32(hash, capacity)
    key = grownUint32(key, capacity)
    touchedAtMs = grownFloat64(touchedAtMs, capacity)
    growDescriptions(capacity)
  }

  function enter(row: number, to: number): void {
    const from = state[row]
    listedPins += (to === listed ? 1 : 0) - (from === listed ? 1 : 0)
    unlistedPins += (to === unlisted ? 1 : 0) - (from === unlisted ? 1 : 0)
    state[row] = to
    if (to === listed || to === withheld || to === gone) idle.remove(row)
    else if (from === listed || from === withheld || from === free) idle.touch(row)
  }

  function give(row: number, pinId: PinId): void {
    rows.set(pinId, row)
    pinIds[row] = pinId
    idCharacters += pinId.length
    tie[row] = hash32(pinId, seed)
    hash[row] = hash32(pinId)
    writePinKey(pinId, keyHigh, keyLow, 0)
    key[row] = keyLow[0]!
    touchedAtMs[row] = -Infinity
  }

  /** A row for a new pin; -1 if pins that stay hold all rows. */
  function take(pinId: PinId): number {
    if (rows.size >= maxPins) {
      if (idle.oldest < 0) {
        refused++
        return -1
      }
      if (state[idle.oldest] === unlisted) expired++
      release(idle.oldest)
    }
    const row = freeRows.pop() ?? pinIds.length
    grow(row + 1)
    give(row, pinId)
    return row
  }

  function release(row: number): void {
    const pinId = pinIds[row]
    if (pinId === undefined || pinId === null) return
    options.onUndescribe?.(row)
    enter(row, gone)
    options.onGone?.(row)
    clear(row)
    rows.delete(pinId)
    pinIds[row] = null
    idCharacters -= pinId.length
    recycling.put(row)
  }

  function expire(atMs: number): void {
    // At most two: more pins go than come.
    for (let i = 0; i < 2 && idle.oldest >= 0; i++) {
      const row = idle.oldest
      const touched = touchedAtMs[row]!
      if (touched === -Infinity) {
        // No time was known when the pin came.
        touchedAtMs[row] = atMs
        idle.touch(row)
      } else if (atMs - touched <= unlistedTtlMs) return
      else {
        expired++
        release(row)
      }
    }
  }

  return {
    ...descriptions,
    get size() {
      return pinIds.length
    },
    counts: () => ({ listed: listedPins, unlisted: unlistedPins, refused, refusedWords, expired, unclosedCreators }),
    intern(pinId, atMs = -Infinity) {
      if (!showsUnlisted) expire(atMs)
      let row = rows.get(pinId) ?? -1
      if (row >= 0 && (state[row] === listed || state[row] === withheld)) return row
      if (row < 0) {
        if (unlistedPins >= maxUnlisted && idle.oldest >= 0) {
          expired++
          release(idle.oldest)
        }
        row = take(pinId)
        if (row < 0) return -1
        enter(row, unlisted)
      } else idle.touch(row)
      touchedAtMs[row] = atMs
      return row
    },
    rowOf: (pinId) => rows.get(pinId) ?? -1,
    pinIdOf: (row) => pinIds[row] as PinId,
    upsert(pin) {
      const known = rows.get(pin.pinId) ?? -1
      const row = known >= 0 ? known : take(pin.pinId)
      if (row < 0) return -1
      if (known >= 0) options.onUndescribe?.(row)
      if (describe(row, pin))
        enter(row, pin.creatorId !== null && closedCreators.has(pin.creatorId) ? withheld : listed)
      else {
        refusedWords++
        enter(row, unlisted)
      }
      return row
    },
    remove(pinId) {
      const row = rows.get(pinId) ?? -1
      if (row < 0) return -1
      if (!showsUnlisted) {
        release(row)
        return -1
      }
      enter(row, deleted)
      return row
    },
    closeCreator(creatorId, isClosed) {
      if (!isClosed) closedCreators.delete(creatorId)
      else if (closedCreators.size < (options.maxCreators ?? Infinity) || closedCreators.has(creatorId))
        closedCreators.add(creatorId)
      else unclosedCreators++
      const [from, to] = isClosed && closedCreators.has(creatorId) ? [listed, withheld] : [withheld, listed]
      const creator = descriptions.creatorRow(creatorId)
      const changed: number[] = []
      if (creator < 0) return changed
      for (const row of descriptions.byCreator.rowsOf(creator)) {
        if (state[row] !== from || descriptions.creatorOf(row) !== creator) continue
        enter(row, to)
        changed.push(row)
      }
      return changed
    },
    isShown: (row) => (state[row] ?? free) >= shownFrom,
    isListed: (row) => state[row] === listed,
    isGone: (row) => state[row] === gone,
    tieOf: (row) => tie[row]!,
    hashOf: (row) => hash[row]!,
    keyOf: (row) => key[row]!,
    before(a, b) {
      const first = tie[a]!
      const second = tie[b]!
      return first < second || (first === second && (pinIds[a] ?? '') < (pinIds[b] ?? ''))
    },
    bytes() {
      const columns = state.byteLength + tie.byteLength * 3 + touchedAtMs.byteLength
      // A map entry with its string: about 48 bytes beside the characters.
      const ids = pinIds.length * 8 + rows.size * 48 + idCharacters
      return columns + ids + idle.bytes() + descriptions.bytes()
    },
    save(writer) {
      const size = pinIds.length
      writer.json('pinIds', pinIds)
      writer.json('counts', { refused, refusedWords, expired, unclosedCreators })
      writer.json('closedCreators', [...closedCreators])
      writer.json('idle', idle.order())
      writer.u8('state', state.subarray(0, size))
      writer.f64('touchedAtMs', touchedAtMs.subarray(0, size))
      descriptions.save(writer, size)
    },
    load(reader) {
      rows = new Map()
      pinIds = reader.json('pinIds') as (PinId | null)[]
      freeRows = []
      recycling.clear()
      idle.clear()
      ;[listedPins, unlistedPins, idCharacters] = [0, 0, 0]
      closedCreators = new Set(reader.json('closedCreators') as string[])
      ;({ refused, refusedWords, expired, unclosedCreators } = reader.json('counts') as CatalogueCounts)
      grow(pinIds.length)
      state.fill(free)
      state[goneRow] = gone
      const states = reader.u8('state')
      for (const [row, pinId] of pinIds.entries()) {
        if (pinId !== null) {
          give(row, pinId)
          state[row] = states[row] ?? unlisted
          if (state[row] === listed) listedPins++
          else if (state[row] === unlisted) unlistedPins++
        } else if (row !== goneRow) {
          // Snapshots hold `goneRow` in place of gone rows, so no list holds these rows.
          state[row] = free
          freeRows.push(row)
        }
      }
      touchedAtMs.set(reader.f64('touchedAtMs'))
      descriptions.load(reader)
      for (const row of reader.json('idle') as number[]) idle.touch(row)
    },
  }
}
