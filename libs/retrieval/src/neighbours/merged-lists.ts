import { goneRow, type Catalogue } from '../views/catalogue.ts'
import type { SessionLists } from '../views/session-lists.ts'
import type { GatheredList } from './list-part.ts'

/**
 * A list of the index as it would be over all users, for reading, as far as one request looks: the trails through the
 * wanted pins and the counts of the pins in them; and the asker's own row among them, -1 where it is not there. Pins that
 * the catalogue has not heard of yet, or that have gone, keep their place and are nothing.
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
      const row = count + (part.touchingTrails[i] ?? 0)
      touches[part.touchedPins[i] ?? 0]?.push({ row, atMs: part.touchedAtMs[i] ?? 0 })
    }
    let at = 0
    for (let trail = 0; trail < part.keyHighs.length; trail++, count++) {
      starts[count] = filled
      for (let n = part.lengths[trail] ?? 0; n > 0; n--) {
        const row = rows[part.pinPlaces[at++] ?? 0] ?? -1
        pinRows[filled++] = row >= 0 ? row : goneRow
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
      tallies.reduce((sum, tally) => sum + (tally.counts[i] ?? 0), 0),
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
      startOf: (trail) => starts[trail] ?? 0,
      lengthOf: (trail) => lengths[trail] ?? 0,
      lastAtMs: (trail) => lastAtMs[trail] ?? 0,
      keyHigh: (trail) => keyHighs[trail] ?? 0,
      keyLow: (trail) => keyLows[trail] ?? 0,
      pinStartOf: (row) => lists.get(row)?.start ?? 0,
      pinLengthOf: (row) => lists.get(row)?.length ?? 0,
      sessionCountOf: (row) => counts.get(row) ?? 0,
    },
  }
}
