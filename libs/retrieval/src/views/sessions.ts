import { createAgeHeap } from '@freshet/columns/age-heap'
import { goneRow } from './catalogue.ts'
import { grownFloat64, grownUint32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import { createKeyTable } from '@freshet/columns/key-table'
import { createListPool } from '@freshet/columns/list-pool'
import type { RowHolder } from './recycling.ts'
import { gapKey, sessionKey, userKey, type SessionKey } from './session-keys.ts'
import type { SessionLists } from './session-lists.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createTouches } from './touches.ts'

/** Caps and the gap that ends a session. */
export interface SessionsOptions {
  /** `session`: by session id, else by user and pause. `user`: all actions of a user in one trail. */
  readonly grouping: 'session' | 'user'
  /** The most sessions; beyond that the one whose last action is oldest goes. */
  readonly maxSessions: number
  /** The most actions of all sessions together; beyond that the sessions whose last action is oldest go. */
  readonly maxSessionActions: number
  /** The most actions of one session; the latest stay. */
  readonly maxActionsPerSession: number
  /** The most sessions in the list of one pin; those that touched it last stay. */
  readonly maxSessionsPerPin: number
  /** The pause after which a user's next action begins a new session, for events without a session id. */
  readonly sessionGapMs: number
  /** Whether the pin of a row is gone; if absent, no pin ever goes. */
  readonly isGone?: (pinRow: number) => boolean
}

/**
 * Each session's latest pins in order, and for each pin the sessions that touched it last. All sources that learn from
 * sessions read this view. Below its caps it does not depend on how the events of different users interleave. A gone pin
 * keeps its place in its sessions, so that the distances between the other pins stay the same.
 */
export interface Sessions extends SessionLists, RowHolder {
  /** The number of sessions. */
  readonly size: number
  /** The number of entries of all sessions together. */
  readonly actions: number
  /** When a session touched its pins, parallel to `pinRows`, milliseconds since the epoch. */
  readonly pinAtMs: Float64Array
  /**
   * Inserts an action into its session by time and returns the session's row. Late events go to their place in time; a pin
   * touched twice in a row is one entry, at its last time.
   */
  fold(action: SessionAction): number
  /** Removes a gone pin; only the lists of sessions still hold its row, until they are cleaned. */
  letGo(pinRow: number): void
  /** Forgets a user: no session or trail can be found by that user any more. Takes time proportional to the rows. */
  forget(userId: string): void
  /**
   * Removes a user's actions on a pin at given times as if they had never happened, except that a session which they
   * prolonged stays one session. A session without entries goes.
   */
  withdraw(userId: string, pinRow: number, isTaken: (atMs: number) => boolean): void
  /** The row of a user's session at a time, or of the user's trail; -1 if no action of it was folded. */
  find(userId: string, sessionId: string | null, atMs: number): number
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** One positive action on a pin. */
export interface SessionAction {
  readonly userId: string
  readonly sessionId: string | null
  readonly pinRow: number
  readonly atMs: number
}

const forgotten = 3
/** A session found by pauses that is over, and the one of its user that late actions were put into last. */
const late = 4

/** An empty view. */
export function createSessions(options: SessionsOptions): Sessions {
  const { grouping, maxSessions, maxSessionActions, maxActionsPerSession, maxSessionsPerPin, sessionGapMs } = options
  const isGone = options.isGone ?? ((row: number) => row === goneRow)
  const byKey = createKeyTable()
  const byUser = createKeyTable()
  const lateByUser = createKeyTable()
  const pins = createListPool()
  const touches = createTouches(maxSessionsPerPin, before)
  const ages = createAgeHeap()
  let keyHighs = new Uint32Array(0)
  let keyLows = new Uint32Array(0)
  let userHighs = new Uint32Array(0)
  let userLows = new Uint32Array(0)
  let lastAtMs = new Float64Array(0)
  // 1: in use. 2: in use and its user's current one by the gap rule. 3: forgotten, and free once its turn by age comes. 4: see `late`.
  let states = new Uint8Array(0)
  let freeRows: number[] = []
  let rowLimit = 0
  let size = 0
  let sessionsEver = 0

  function before(a: number, b: number): boolean {
    const highA = keyHighs[a]!
    const highB = keyHighs[b]!
    return highA < highB || (highA === highB && keyLows[a]! < keyLows[b]!)
  }

  function open(key: SessionKey, user: SessionKey, state: number, atMs: number): number {
    if (size >= maxSessions) evictOldest()
    const row = freeRows.pop() ?? rowLimit++
    if (row >= states.length) {
      const capacity = nextCapacity(states.length, row + 1)
      keyHighs = grownUint32(keyHighs, capacity)
      keyLows = grownUint32(keyLows, capacity)
      userHighs = grownUint32(userHighs, capacity)
      userLows = grownUint32(userLows, capacity)
      lastAtMs = grownFloat64(lastAtMs, capacity)
      states = grownUint8(states, capacity)
    }
    keyHighs[row] = key.high
    keyLows[row] = key.low
    userHighs[row] = user.high
    userLows[row] = user.low
    lastAtMs[row] = atMs
    states[row] = state
    byKey.set(key.high, key.low, row)
    if (state === 2) byUser.set(user.high, user.low, row)
    if (state === late) lateByUser.set(user.high, user.low, row)
    ages.push(row, atMs)
    size++
    return row
  }

  function evictOldest(): void {
    for (;;) {
      const row = ages.popOldest((candidate) => lastAtMs[candidate]!)
      if (row < 0) return
      const wasForgotten = states[row] === forgotten
      if (!wasForgotten) empty(row)
      states[row] = 0
      freeRows.push(row)
      if (!wasForgotten) return
    }
  }

  /** Takes a session out of every list but that of ages. */
  function empty(row: number): void {
    const start = pins.startOf(row)
    const end = start + pins.lengthOf(row)
    for (let i = start; i < end; i++) touches.remove(pins.keys[i]!, row)
    pins.free(row)
    byKey.delete(keyHighs[row]!, keyLows[row]!)
    if (states[row] === 2) byUser.delete(userHighs[row]!, userLows[row]!)
    if (states[row] === late) lateByUser.delete(userHighs[row]!, userLows[row]!)
    size--
  }

  /** Whether a time is not further from a session's first or last action than the gap. */
  function spans(session: number, atMs: number): boolean {
    return begins(session, atMs) && atMs - lastAtMs[session]! <= sessionGapMs
  }

  function begins(session: number, atMs: number): boolean {
    return pins.times[pins.startOf(session)]! - atMs <= sessionGapMs
  }

  /** Takes the oldest action out of a full session that `pinRow` goes into. */
  function dropOldest(session: number, pinRow: number): void {
    const start = pins.startOf(session)
    const dropped = pins.keys[start]!
    pins.removeAt(session, 0)
    let still = dropped === pinRow
    for (let i = start; i < start + pins.lengthOf(session) && !still; i++) still = pins.keys[i] === dropped
    if (!still) touches.remove(dropped, session)
  }

  /** Puts an action where it belongs among later ones. */
  function insertLate(session: number, pinRow: number, atMs: number): void {
    const start = pins.startOf(session)
    const length = pins.lengthOf(session)
    let lastTouchMs = -Infinity
    for (let i = start; i < start + length; i++) {
      if (pins.keys[i] === pinRow) lastTouchMs = Math.max(lastTouchMs, pins.times[i]!)
    }
    if (lastTouchMs === -Infinity) touches.count(pinRow)
    let index = length
    while (index > 0 && pins.times[start + index - 1]! > atMs) index--
    if (pins.keys[start + index] === pinRow) return
    if (index > 0 && pins.keys[start + index - 1] === pinRow) pins.times[start + index - 1] = atMs
    else if (length < maxActionsPerSession) pins.insert(session, index, pinRow, atMs)
    else if (index === 0) return
    else {
      dropOldest(session, pinRow)
      pins.insert(session, index - 1, pinRow, atMs)
    }
    if (atMs <= lastTouchMs) return
    if (lastTouchMs > -Infinity) touches.remove(pinRow, session)
    touches.put(pinRow, session, atMs)
  }

  function append(session: number, pinRow: number, atMs: number): void {
    const length = pins.lengthOf(session)
    const start = pins.startOf(session)
    if (length > 0 && atMs < pins.times[start + length - 1]!) return insertLate(session, pinRow, atMs)
    let known = false
    for (let i = start; i < start + length && !known; i++) known = pins.keys[i] === pinRow
    if (known) touches.remove(pinRow, session)
    else touches.count(pinRow)
    touches.put(pinRow, session, atMs)
    if (length > 0 && pins.keys[start + length - 1] === pinRow) {
      pins.times[start + length - 1] = atMs
      return
    }
    if (length === maxActionsPerSession) {
      dropOldest(session, pinRow)
      pins.insert(session, length - 1, pinRow, atMs)
      return
    }
    pins.insert(session, length, pinRow, atMs)
  }

  function takeOut(session: number, pinRow: number, isTaken: (atMs: number) => boolean): void {
    let keptAtMs = -Infinity
    let lastMs = -Infinity
    for (let i = pins.lengthOf(session) - 1; i >= 0; i--) {
      const at = pins.startOf(session) + i
      const atMs = pins.times[at]!
      if (pins.keys[at] === pinRow) {
        if (isTaken(atMs)) {
          pins.removeAt(session, i)
          // A pin touched twice in a row is one entry, with the later time. Gone pins stay apart: they may be different ones.
          const joins =
            i > 0 &&
            i < pins.lengthOf(session) &&
            pins.keys[at - 1] === pins.keys[at] &&
            !isGone(pins.keys[at] ?? goneRow)
          if (joins) pins.removeAt(session, i - 1)
          if (joins) i--
          continue
        }
        keptAtMs = Math.max(keptAtMs, atMs)
      }
      lastMs = Math.max(lastMs, atMs)
    }
    touches.remove(pinRow, session)
    if (keptAtMs > -Infinity) touches.put(pinRow, session, keptAtMs)
    else touches.uncount(pinRow)
    if (lastMs > -Infinity) {
      lastAtMs[session] = lastMs
      return
    }
    sessionsEver--
    empty(session)
    states[session] = forgotten
  }

  /** The key of the session of an action, or of the user's trail; null where pauses tell sessions apart. */
  function namedKey(userId: string, sessionId: string | null): SessionKey | null {
    if (grouping === 'user') return userKey(userId)
    return sessionId === null ? null : sessionKey(userId, sessionId)
  }

  /** The session of an action from before its user's current one, where pauses tell sessions apart: actions of one that come late one after the other are one. */
  function lateSessionFor(user: SessionKey, userId: string, atMs: number): number {
    const known = lateByUser.get(user.high, user.low)
    if (known >= 0 && spans(known, atMs)) return known
    const key = gapKey(userId, atMs)
    const same = byKey.get(key.high, key.low)
    if (same >= 0) return same
    if (known >= 0) states[known] = 1
    sessionsEver++
    return open(key, user, late, atMs)
  }

  function sessionFor({ userId, sessionId, atMs }: SessionAction): number {
    const key = namedKey(userId, sessionId)
    const user = userKey(userId)
    const known = key === null ? byUser.get(user.high, user.low) : byKey.get(key.high, key.low)
    if (known >= 0) {
      if (key !== null || spans(known, atMs)) return known
      if (!begins(known, atMs)) return lateSessionFor(user, userId, atMs)
      states[known] = 1
    }
    sessionsEver++
    return key === null ? open(gapKey(userId, atMs), user, 2, atMs) : open(key, user, 1, atMs)
  }

  return {
    get size() {
      return size
    },
    get actions() {
      return pins.entries
    },
    get rowLimit() {
      return rowLimit
    },
    get pinRows() {
      return pins.keys
    },
    get pinAtMs() {
      return pins.times
    },
    get sessionRows() {
      return touches.sessions
    },
    get sessionAtMs() {
      return touches.atMs
    },
    get sessionsEver() {
      return sessionsEver
    },
    fold(action) {
      const session = sessionFor(action)
      lastAtMs[session] = Math.max(lastAtMs[session]!, action.atMs)
      append(session, action.pinRow, action.atMs)
      while (pins.entries > maxSessionActions && size > 1) evictOldest()
      return session
    },
    letGo: touches.letGo,
    get limit() {
      return rowLimit
    },
    clean(session) {
      const start = pins.startOf(session)
      for (let i = start; i < start + pins.lengthOf(session); i++) {
        if (isGone(pins.keys[i] ?? goneRow)) pins.keys[i] = goneRow
      }
    },
    forget(userId) {
      const user = userKey(userId)
      for (let row = 0; row < rowLimit; row++) {
        if (states[row] === 0 || states[row] === forgotten) continue
        if (userHighs[row] !== user.high || userLows[row] !== user.low) continue
        empty(row)
        states[row] = forgotten
      }
    },
    withdraw(userId, pinRow, isTaken) {
      const user = userKey(userId)
      const first = touches.startOf(pinRow)
      const all = touches.sessions.subarray(first, first + touches.lengthOf(pinRow))
      const mine = [...all].filter((row) => userHighs[row] === user.high && userLows[row] === user.low)
      for (const session of mine) takeOut(session, pinRow, isTaken)
    },
    startOf: pins.startOf,
    lengthOf: pins.lengthOf,
    lastAtMs: (session) => lastAtMs[session]!,
    keyHigh: (session) => keyHighs[session]!,
    keyLow: (session) => keyLows[session]!,
    find(userId, sessionId, atMs) {
      const key = namedKey(userId, sessionId)
      if (key !== null) return byKey.get(key.high, key.low)
      const user = userKey(userId)
      const current = byUser.get(user.high, user.low)
      return current >= 0 && spans(current, atMs) ? current : -1
    },
    pinStartOf: touches.startOf,
    pinLengthOf: touches.lengthOf,
    sessionCountOf: touches.countOf,
    bytes() {
      const columns = keyHighs.byteLength * 4 + lastAtMs.byteLength + states.byteLength
      return [ages, byKey, byUser, lateByUser, pins, touches].reduce((sum, view) => sum + view.bytes(), columns)
    },
    save(writer) {
      const order: number[] = []
      for (let row = 0; row < rowLimit; row++) if (states[row] !== 0 && states[row] !== forgotten) order.push(row)
      order.sort((a, b) => lastAtMs[a]! - lastAtMs[b]! || (before(a, b) ? -1 : 1))
      const lengths = Int32Array.from(order, pins.lengthOf)
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const rows = new Int32Array(total)
      const times = new Float64Array(total)
      let at = 0
      for (const row of order) {
        const start = pins.startOf(row)
        for (let i = 0; i < pins.lengthOf(row); i++) {
          const pinRow = pins.keys[start + i] ?? goneRow
          rows[at] = isGone(pinRow) ? goneRow : pinRow
          times[at++] = pins.times[start + i]!
        }
      }
      const column = (of: Uint32Array): Uint32Array => Uint32Array.from(order, (row) => of[row]!)
      writer.u32('keyHighs', column(keyHighs))
      writer.u32('keyLows', column(keyLows))
      writer.u32('userHighs', column(userHighs))
      writer.u32('userLows', column(userLows))
      writer.f64('lastAtMs', new Float64Array(order.map((row) => lastAtMs[row]!)))
      writer.u8('states', new Uint8Array(order.map((row) => states[row]!)))
      writer.i32('lengths', lengths)
      writer.i32('pinRows', rows)
      writer.f64('pinAtMs', times)
      writer.f64('counts', touches.counts)
      writer.json('sessionsEver', sessionsEver)
    },
    load(reader) {
      byKey.clear()
      byUser.clear()
      lateByUser.clear()
      pins.clear()
      touches.clear()
      freeRows = []
      ages.clear()
      rowLimit = 0
      size = 0
      const highs = reader.u32('keyHighs')
      const lows = reader.u32('keyLows')
      const usersHigh = reader.u32('userHighs')
      const usersLow = reader.u32('userLows')
      const lasts = reader.f64('lastAtMs')
      const kept = reader.u8('states')
      const lengths = reader.i32('lengths')
      const rows = reader.i32('pinRows')
      const times = reader.f64('pinAtMs')
      let at = 0
      for (let i = 0; i < lengths.length; i++) {
        const key = { high: highs[i]!, low: lows[i]! }
        const user = { high: usersHigh[i]!, low: usersLow[i]! }
        const session = open(key, user, kept[i] ?? 1, lasts[i]!)
        for (let n = lengths[i]!; n > 0; n--, at++) {
          const pinRow = rows[at] ?? goneRow
          if (pinRow === goneRow) pins.insert(session, pins.lengthOf(session), goneRow, times[at]!)
          else append(session, pinRow, times[at]!)
        }
      }
      touches.counts = reader.f64('counts')
      sessionsEver = reader.json('sessionsEver') as number
    },
  }
}
