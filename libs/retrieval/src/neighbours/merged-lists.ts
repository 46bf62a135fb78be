import { orZero } from '@freshet/columns/or-zero'
import { goneRow, type Catalogue } from '../views/catalogue.ts'
import type { SessionLists } from '../views/session-lists.ts'
import type { GatheredList } from './list-part.ts'

/**
 * A list of the index over all users, as far as one request reads it: the trails through the wanted pins, the counts of
 * the pins in them, and the asker's own row, -1 if it is not among them. Pins that the catalogue does not know yet, and
 * gone pins, keep their place but are never candidates.
 */
export function mergeLists(
  { wanted, parts, countedPinIds, tallies }: GatheredList,
  catalogue: Catalogue,
): { readonly lists: SessionLists; readonly own: number } {
  const size = parts.reduce((sum, part) => sum + part.keyHighs.length, 0)
  const starts = new Int32Array(size)
  const lengths = new Int32Array(size)
  const lastAtMs = new Float64Array(size)
  const keyHighs = new Uint32Array(size)
  const keyLows = new Uint32Array(size)
  const pinRows = new Int32Array(parts.reduce((sum, part) => sum + part.pinPlaces.length, 0))
  const touches: { readonly row: number; readonly atMs: number }[][] = wanted.pinIds.map(() => [])
  let own = -1
  let count = 0
  let filled = 0
  for (const part of parts) {
    const rows = part.pinIds.map((pinId) => catalogue.rowOf(pinId))
    if (part.ownPlace >= 0) own = count + part.ownPlace
    for (let i = 0; i < part.touchedPins.length; i++) {
      const row = count + orZero(part.touchingTrails[i])
      touches[orZero(part.touchedPins[i])]?.push({ row, atMs: orZero(part.touchedAtMs[i]) })
    }
    let at = 0
    for (let trail = 0; trail < part.keyHighs.length; trail++, count++) {
      starts[count] = filled
      for (let n = orZero(part.lengths[trail]); n > 0; n--) {
        const row = rows[orZero(part.pinPlaces[at++])] ?? -1
        pinRows[filled++] = row >= 0 ? row : goneRow
      }
      lengths[count] = filled - orZero(starts[count])
      lastAtMs[count] = orZero(part.lastAtMs[trail])
      keyHighs[count] = orZero(part.keyHighs[trail])
      keyLows[count] = orZero(part.keyLows[trail])
    }
  }

  const sessionRows: number[] = []
  const sessionAtMs: number[] = []
  const lists = new Map<number, { readonly start: number; readonly length: number }>()
  wanted.pinIds.forEach((pinId, asked) => {
    // As the view orders the trails of a pin: by time, then by key; the last ones are kept.
    const ofPin = (touches[asked] ?? []).sort(
      (a, b) => a.atMs - b.atMs || keyHighs[a.row]! - keyHighs[b.row]! || keyLows[a.row]! - keyLows[b.row]!,
    )
    const latest = ofPin.slice(Math.max(0, ofPin.length - wanted.maxPerPin))
    lists.set(catalogue.rowOf(pinId), { start: sessionRows.length, length: latest.length })
    for (const { row, atMs } of latest) {
      sessionRows.push(row)
      sessionAtMs.push(atMs)
    }
  })
  const counts = new Map(
    countedPinIds.map((pinId, i) => [
      catalogue.rowOf(pinId),
      tallies.reduce((sum, tally) => sum + orZero(tally.counts[i]), 0),
    ]),
  )

  return {
    own,
    lists: {
      rowLimit: size,
      pinRows,
      sessionRows: Int32Array.from(sessionRows),
      sessionAtMs: Float64Array.from(sessionAtMs),
      sessionsEver: tallies.reduce((sum, { ever }) => sum + ever, 0),
      startOf: (trail) => starts[trail]!,
      lengthOf: (trail) => lengths[trail]!,
      lastAtMs: (trail) => lastAtMs[trail]!,
      keyHigh: (trail) => keyHighs[trail]!,
      keyLow: (trail) => keyLows[trail]!,
      pinStartOf: (row) => lists.get(row)?.start ?? 0,
      pinLengthOf: (row) => lists.get(row)?.length ?? 0,
      sessionCountOf: (row) => counts.get(row) ?? 0,
    },
  }
}
