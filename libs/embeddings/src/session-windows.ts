import { hash32 } from '@freshet/domain/hash'

import { createKeyTable } from '@freshet/columns/key-table'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The last pins of each session, as tickets of rows. The session that began first goes when there is no room. */
export interface SessionWindows {
  /**
   * The window of the session of an action, by session id or, without one, by user and pause. It is empty if the action
   * begins a session.
   */
  open(action: { readonly userId: string; readonly sessionId: string | null; readonly atMs: number }): number
  /** The current window of the session; -1 if there is none. */
  find(action: { readonly userId: string; readonly sessionId: string | null }): number
  lengthOf(window: number): number
  /** The ticket `distance` steps back, 1 for the last. */
  ticketAt(window: number, distance: number): number
  push(window: number, ticket: number): void
  /** Empties the windows of a user, also in checkpoints. */
  forget(userId: string): void
  /** Replaces a ticket with one that no row has; returns the tickets before it, nearest first. */
  blank(window: number, ticket: number): readonly number[]
  readonly bytes: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** A ticket that no row has. */
export const noTicket = 0xffffffff

/** Empty windows of at most `width` pins. */
export function createSessionWindows(options: {
  readonly maxSessions: number
  readonly width: number
  readonly sessionGapMs: number
}): SessionWindows {
  const { maxSessions, width, sessionGapMs } = options
  const byKey = createKeyTable()
  const keyHighs = new Uint32Array(maxSessions)
  const keyLows = new Uint32Array(maxSessions)
  /** Of the user of each session. */
  const users = new Uint32Array(maxSessions)
  const lastAtMs = new Float64Array(maxSessions)
  const lengths = new Uint8Array(maxSessions)
  // Each window is a ring: its next place, and its tickets.
  const nexts = new Uint8Array(maxSessions)
  const tickets = new Uint32Array(maxSessions * width)
  let next = 0
  let used = 0

  function begin(high: number, low: number, user: number): number {
    const window = next
    next = next + 1 === maxSessions ? 0 : next + 1
    if (used === maxSessions) byKey.delete(keyHighs[window]!, keyLows[window]!)
    else used++
    keyHighs[window] = high
    keyLows[window] = low
    users[window] = user
    lengths[window] = 0
    nexts[window] = 0
    byKey.set(high, low, window)
    return window
  }

  function keyOf({ userId, sessionId }: { readonly userId: string; readonly sessionId: string | null }) {
    const text = sessionId === null ? `${userId}\n` : `${userId}\n${sessionId}`
    return { high: hash32(text, 0x5e551), low: hash32(text, 0x10e5) }
  }

  return {
    find(action) {
      const { high, low } = keyOf(action)
      return byKey.get(high, low)
    },
    open({ userId, sessionId, atMs }) {
      const { high, low } = keyOf({ userId, sessionId })
      const known = byKey.get(high, low)
      const window = known >= 0 ? known : begin(high, low, userHash(userId))
      // Where pauses tell sessions apart, an action of years ago that comes late is of another one, too.
      const pauses = sessionId === null && Math.abs(atMs - lastAtMs[window]!) > sessionGapMs
      if (pauses) lengths[window] = 0
      lastAtMs[window] = known >= 0 && !pauses ? Math.max(atMs, lastAtMs[window]!) : atMs
      return window
    },
    lengthOf: (window) => lengths[window]!,
    ticketAt: (window, distance) => tickets[window * width + ((nexts[window]! - distance + width) % width)]!,
    push(window, ticket) {
      const at = nexts[window]!
      tickets[window * width + at] = ticket
      nexts[window] = at + 1 === width ? 0 : at + 1
      lengths[window] = Math.min(width, lengths[window]! + 1)
    },
    forget(userId) {
      const user = userHash(userId)
      for (let window = 0; window < used; window++) {
        if (users[window] !== user) continue
        // The window keeps its place in the ring, under no session's key.
        byKey.delete(keyHighs[window]!, keyLows[window]!)
        for (const column of [keyHighs, keyLows, users, lastAtMs, lengths, nexts]) column[window] = 0
        tickets.fill(0, window * width, (window + 1) * width)
      }
    },
    blank(window, ticket) {
      const length = lengths[window]!
      const slotOf = (distance: number): number => window * width + ((nexts[window]! - distance + width) % width)
      const before: number[] = []
      let isFound = false
      for (let distance = 1; distance <= length; distance++) {
        const slot = slotOf(distance)
        if (tickets[slot] === ticket) {
          tickets[slot] = noTicket
          isFound = true
        } else if (isFound) before.push(tickets[slot] ?? noTicket)
      }
      return before
    },
    bytes: maxSessions * (8 + 4 + 8 + 2 + 4 * width),
    save(writer) {
      writer.u32('keyHighs', keyHighs.subarray(0, used))
      writer.u32('keyLows', keyLows.subarray(0, used))
      writer.u32('users', users.subarray(0, used))
      writer.f64('lastAtMs', lastAtMs.subarray(0, used))
      writer.u8('lengths', lengths.subarray(0, used))
      writer.u8('nexts', nexts.subarray(0, used))
      writer.u32('tickets', tickets.subarray(0, used * width))
      writer.json('next', next)
    },
    load(reader) {
      const highs = reader.u32('keyHighs')
      used = highs.length
      keyHighs.set(highs)
      keyLows.set(reader.u32('keyLows'))
      // Earlier versions did not write them: those windows belong to nobody and go with their turn.
      users.fill(0, 0, used)
      if (reader.has('users')) users.set(reader.u32('users'))
      lastAtMs.set(reader.f64('lastAtMs'))
      lengths.set(reader.u8('lengths'))
      nexts.set(reader.u8('nexts'))
      tickets.set(reader.u32('tickets'))
      next = reader.json('next') as number
      byKey.clear()
      for (let window = 0; window < used; window++) byKey.set(keyHighs[window]!, keyLows[window]!, window)
    },
  }
}

function userHash(userId: string): number {
  return hash32(userId, 0x05e7)
}
