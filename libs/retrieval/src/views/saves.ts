import { hash32 } from '@freshet/domain/hash'

import { grownFloat64, grownInt32, grownUint32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import { createKeyTable } from '@freshet/columns/key-table'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The fields of a save or unsave that decide which saves an unsave takes back. */
export interface SaveAct {
  readonly userId: string
  readonly pinId: string
  /** null: the client named no board; it matches any board. */
  readonly boardId: string | null
  readonly atMs: number
  /** `Engagement.sourceTag`; 0: none. */
  readonly sourceTag: number
}

/**
 * What a positive action is to its user: `again`: the user has acted on the pin before, as far as the trail goes back;
 * `counted`: the first, so the user counts for the pin from now on; `new`: a first one that does not count, because the full trail may
 * have dropped an earlier one, or because enough users of the same address count.
 */
export type Novelty = 'again' | 'new' | 'counted'

/** A save that was taken back. */
export interface WithdrawnSave {
  readonly atMs: number
  /** Whether it was the user's first positive action on the pin, as far as the trail went back. */
  readonly isFirst: boolean
  /** Whether the user counted for the pin with it. */
  readonly isCounted: boolean
  /** The tag of the save; 0: none. */
  readonly sourceTag: number
}

/**
 * The latest saves and unsaves, so that views can forget exactly what a withdrawn save taught them. The order of arrival
 * does not matter: an unsave also takes back older saves that arrive later.
 */
export interface Saves {
  /** Whether an unsave with a later time arrived before this save. */
  isWithdrawn(save: SaveAct): boolean
  note(save: SaveAct, novelty: Novelty): void
  /** Takes back the saves that an unsave withdraws, and returns them; only the latest `maxSaves` saves are known. */
  withdraw(unsave: SaveAct): readonly WithdrawnSave[]
  /** Forgets all saves and unsaves of a user, also in snapshots. */
  forget(userId: string): void
  /** The number of entries, including forgotten ones that are not yet removed. */
  readonly size: number
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const gone = 0
const unsaved = 3
const kindOf: Readonly<Record<Novelty, number>> = { again: 1, new: 2, counted: 4 }

/** Creates an empty memory; beyond `maxSaves` entries the one that arrived first goes. */
export function createSaves({ maxSaves }: { readonly maxSaves: number }): Saves {
  const byKey = createKeyTable()
  let highs = new Uint32Array(0)
  let lows = new Uint32Array(0)
  let users = new Uint32Array(0)
  let boards = new Uint32Array(0)
  let times = new Float64Array(0)
  let kinds = new Uint8Array(0)
  let tags = new Uint32Array(0)
  // The previous entry of the same user and pin; -1: none.
  let befores = new Int32Array(0)
  let next = 0
  let size = 0

  const boardOf = (boardId: string | null): number => (boardId === null ? 0 : hash32(boardId) || 1)
  const userOf = (userId: string): number => hash32(userId, 0xace) || 1
  const highOf = ({ userId, pinId }: SaveAct): number => hash32(`${userId}\n${pinId}`, 0x5a7ed)
  const lowOf = ({ userId, pinId }: SaveAct): number => hash32(`${userId}\n${pinId}`, 0x1de5)

  /** The entries of a user and pin on one board, latest first. */
  function* entriesOf(act: SaveAct): Generator<number> {
    const board = boardOf(act.boardId)
    for (let at = byKey.get(highOf(act), lowOf(act)); at >= 0; at = befores[at] ?? -1)
      if (board === 0 || boards[at] === 0 || boards[at] === board) yield at
  }

  function grow(): void {
    const capacity = Math.min(maxSaves, nextCapacity(times.length, times.length + 1))
    highs = grownUint32(highs, capacity)
    lows = grownUint32(lows, capacity)
    users = grownUint32(users, capacity)
    boards = grownUint32(boards, capacity)
    times = grownFloat64(times, capacity)
    kinds = grownUint8(kinds, capacity)
    tags = grownUint32(tags, capacity)
    befores = grownInt32(befores, capacity)
  }

  /** Removes the earliest entry, which is the last one of its user and pin. */
  function drop(at: number): void {
    const [high, low] = [highs[at]!, lows[at]!]
    let after = byKey.get(high, low)
    if (after === at) {
      byKey.delete(high, low)
      return
    }
    while (after >= 0 && befores[after] !== at) after = befores[after] ?? -1
    if (after >= 0) befores[after] = -1
  }

  interface Entry {
    readonly high: number
    readonly low: number
    readonly user: number
    readonly board: number
    readonly atMs: number
    readonly kind: number
    readonly tag: number
  }

  const entryOf = (act: SaveAct, kind: number): Entry => ({
    high: highOf(act),
    low: lowOf(act),
    user: userOf(act.userId),
    board: boardOf(act.boardId),
    atMs: act.atMs,
    kind,
    tag: act.sourceTag,
  })

  function put({ high, low, user, board, atMs, kind, tag }: Entry): void {
    if (size < maxSaves) {
      if (next >= times.length) grow()
      size++
    } else drop(next)
    highs[next] = high
    lows[next] = low
    users[next] = user
    boards[next] = board
    times[next] = atMs
    kinds[next] = kind
    tags[next] = tag
    befores[next] = user === 0 ? -1 : byKey.get(high, low)
    // A forgotten entry belongs to no user.
    if (user !== 0) byKey.set(high, low, next)
    next = next + 1 === maxSaves ? 0 : next + 1
  }

  return {
    get size() {
      return size
    },
    isWithdrawn(save) {
      for (const at of entriesOf(save)) if (kinds[at] === unsaved && times[at]! >= save.atMs) return true
      return false
    },
    note(save, novelty) {
      put(entryOf(save, kindOf[novelty]))
    },
    withdraw(unsave) {
      const withdrawn: WithdrawnSave[] = []
      for (const at of entriesOf(unsave)) {
        const kind = kinds[at] ?? gone
        if (kind === gone || kind === unsaved || times[at]! > unsave.atMs) continue
        withdrawn.push({
          atMs: times[at]!,
          isFirst: kind !== kindOf.again,
          isCounted: kind === kindOf.counted,
          sourceTag: tags[at]!,
        })
        kinds[at] = gone
      }
      put(entryOf(unsave, unsaved))
      return withdrawn
    },
    forget(userId) {
      const user = userOf(userId)
      for (let at = 0; at < size; at++) {
        if (users[at] !== user) continue
        byKey.delete(highs[at]!, lows[at]!)
        for (const column of [highs, lows, users, boards, times, kinds, tags]) column[at] = 0
        befores[at] = -1
      }
    },
    bytes: () => times.length * 33 + byKey.bytes(),
    save(writer) {
      const order = Array.from({ length: size }, (_, n) => (size < maxSaves ? n : (next + n) % maxSaves))
      const column = (of: Uint32Array): Uint32Array => Uint32Array.from(order, (at) => of[at]!)
      writer.u32('highs', column(highs))
      writer.u32('lows', column(lows))
      writer.u32('users', column(users))
      writer.u32('boards', column(boards))
      writer.f64(
        'times',
        Float64Array.from(order, (at) => times[at]!),
      )
      writer.u8(
        'kinds',
        Uint8Array.from(order, (at) => kinds[at]!),
      )
      writer.u32('tags', column(tags))
    },
    load(reader) {
      byKey.clear()
      next = 0
      size = 0
      const [savedHighs, savedLows] = [reader.u32('highs'), reader.u32('lows')]
      const [savedUsers, savedBoards] = [reader.u32('users'), reader.u32('boards')]
      const savedTimes = reader.f64('times')
      const savedKinds = reader.u8('kinds')
      const savedTags = reader.u32('tags')
      for (let at = 0; at < savedTimes.length; at++) {
        put({
          high: savedHighs[at]!,
          low: savedLows[at]!,
          user: savedUsers[at]!,
          board: savedBoards[at]!,
          atMs: savedTimes[at]!,
          kind: savedKinds[at] ?? gone,
          tag: savedTags[at]!,
        })
      }
    },
  }
}
