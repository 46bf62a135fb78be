import { hash32 } from '@freshet/domain/hash'

import { grownFloat64, grownUint32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import { createKeyTable } from '@freshet/columns/key-table'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** A first positive action of a user for whom nobody vouches. */
export interface CappedAct {
  readonly userId: string
  readonly row: number
  /** `Engagement.sourceTag`: the address and the day. */
  readonly sourceTag: number
  readonly atMs: number
}

/** Whether the user counts; a number: it does, in the place of another user of the address, whose action at this time no longer counts. */
export type Admission = 'counted' | 'refused' | number

/**
 * Which users of an address count for a pin, so that invented users make no pin popular: of those for whom nobody vouches,
 * the first `maxUsersPerAddress` of an address, a pin and a day, by the time of their first action. A user who takes that action
 * back keeps the place without counting. So the order in which events of different users arrive does not matter.
 */
export interface AddressCaps {
  /** Decides on a user who would count for the pin from now on. */
  admit(act: CappedAct): Admission
  /** Notes that a user took the action back; returns whether the user counted with it. */
  withdraw(act: CappedAct): boolean
  /** Forgets who a user is; the places stay taken. */
  forget(userId: string): void
  /** Forgets a pin whose row becomes another's. */
  letGo(row: number): void
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Creates an empty memory; beyond `maxAddresses` pairs of a pin and an address the one that arrived first goes. */
export function createAddressCaps({
  maxUsersPerAddress: places,
  maxAddresses,
}: {
  /** 0: there is no cap. */
  readonly maxUsersPerAddress: number
  readonly maxAddresses: number
}): AddressCaps {
  const byKey = createKeyTable()
  let rows = new Uint32Array(0)
  let tags = new Uint32Array(0)
  let taken = new Uint8Array(0)
  let lives = new Uint32Array(0)
  // Of each pair `places` entries. The current time is NaN where the user no longer counts.
  let users = new Uint32Array(0)
  let firstMs = new Float64Array(0)
  let currentMs = new Float64Array(0)
  // By row: how many pins the row had before. A pair of an earlier pin is empty.
  let lifeOfRow = new Uint32Array(0)
  let next = 0
  let size = 0

  const userOf = (userId: string): number => hash32(userId, 0xadd4) || 1
  const lifeOf = (row: number): number => (row < lifeOfRow.length ? lifeOfRow[row]! : 0)

  function grow(): void {
    const capacity = Math.min(maxAddresses, nextCapacity(rows.length, rows.length + 1))
    rows = grownUint32(rows, capacity)
    tags = grownUint32(tags, capacity)
    taken = grownUint8(taken, capacity)
    lives = grownUint32(lives, capacity)
    users = grownUint32(users, capacity * places)
    firstMs = grownFloat64(firstMs, capacity * places)
    currentMs = grownFloat64(currentMs, capacity * places)
  }

  /** The pair of a pin and an address; -1: it is not known. */
  function find(row: number, tag: number): number {
    const pair = byKey.get(row, tag)
    if (pair >= 0 && lives[pair] !== lifeOf(row)) {
      taken[pair] = 0
      lives[pair] = lifeOf(row)
    }
    return pair
  }

  function put(row: number, tag: number): number {
    if (size < maxAddresses) {
      if (next >= rows.length) grow()
      size++
    } else byKey.delete(rows[next]!, tags[next]!)
    const pair = next
    rows[pair] = row
    tags[pair] = tag
    taken[pair] = 0
    lives[pair] = lifeOf(row)
    byKey.set(row, tag, pair)
    next = next + 1 === maxAddresses ? 0 : next + 1
    return pair
  }

  const isBefore = (atMs: number, user: number, at: number): boolean =>
    atMs < firstMs[at]! || (atMs === firstMs[at]! && user < users[at]!)

  function take(at: number, user: number, atMs: number): void {
    users[at] = user
    firstMs[at] = atMs
    currentMs[at] = atMs
  }

  return {
    admit({ userId, row, sourceTag, atMs }) {
      if (places === 0) return 'counted'
      const user = userOf(userId)
      const known = find(row, sourceTag)
      const pair = known >= 0 ? known : put(row, sourceTag)
      const from = pair * places
      const count = taken[pair]!
      let last = from
      for (let at = from; at < from + count; at++) {
        if (users[at] === user) {
          if (!Number.isNaN(currentMs[at]!)) return 'refused'
          currentMs[at] = atMs
          firstMs[at] = Math.min(firstMs[at]!, atMs)
          return 'counted'
        }
        if (isBefore(firstMs[last]!, users[last]!, at)) last = at
      }
      if (count < places) {
        take(from + count, user, atMs)
        taken[pair] = count + 1
        return 'counted'
      }
      if (!isBefore(atMs, user, last)) return 'refused'
      const displacedMs = currentMs[last]!
      take(last, user, atMs)
      return Number.isNaN(displacedMs) ? 'counted' : displacedMs
    },
    withdraw({ userId, row, sourceTag, atMs }) {
      if (places === 0) return true
      const pair = find(row, sourceTag)
      // What was forgotten goes on counting: whom it displaced is forgotten too, and would be taken back twice.
      if (pair < 0) return false
      const user = userOf(userId)
      for (let at = pair * places; at < pair * places + taken[pair]!; at++) {
        if (users[at] !== user || currentMs[at] !== atMs) continue
        currentMs[at] = NaN
        return true
      }
      return false
    },
    forget(userId) {
      const user = userOf(userId)
      for (let at = users.indexOf(user); at >= 0; at = users.indexOf(user, at + 1)) users[at] = 0
    },
    letGo(row) {
      if (size === 0) return
      if (row >= lifeOfRow.length) lifeOfRow = grownUint32(lifeOfRow, nextCapacity(lifeOfRow.length, row + 1))
      lifeOfRow[row] = lifeOfRow[row]! + 1
    },
    bytes: () => rows.length * (13 + 20 * places) + lifeOfRow.byteLength + byKey.bytes(),
    save(writer) {
      const order: number[] = []
      for (let n = 0; n < size; n++) {
        const pair = size < maxAddresses ? n : (next + n) % maxAddresses
        if (lives[pair] === lifeOf(rows[pair]!) && taken[pair]! > 0) order.push(pair)
      }
      const ofUsers = order.flatMap((pair) => Array.from({ length: taken[pair]! }, (_, n) => pair * places + n))
      const column = (places: readonly number[], of: Uint32Array): Uint32Array =>
        Uint32Array.from(places, (at) => of[at]!)
      const times = (of: Float64Array): Float64Array => Float64Array.from(ofUsers, (at) => of[at]!)
      writer.u32('rows', column(order, rows))
      writer.u32('tags', column(order, tags))
      writer.u8(
        'taken',
        Uint8Array.from(order, (pair) => taken[pair]!),
      )
      writer.u32('users', column(ofUsers, users))
      writer.f64('firstMs', times(firstMs))
      writer.f64('currentMs', times(currentMs))
    },
    load(reader) {
      byKey.clear()
      lifeOfRow = new Uint32Array(0)
      next = 0
      size = 0
      const [savedRows, savedTags, savedTaken] = [reader.u32('rows'), reader.u32('tags'), reader.u8('taken')]
      const savedUsers = reader.u32('users')
      const [savedFirstMs, savedCurrentMs] = [reader.f64('firstMs'), reader.f64('currentMs')]
      let from = 0
      for (let n = 0; n < savedRows.length; n++) {
        const pair = put(savedRows[n]!, savedTags[n]!)
        const to = from + savedTaken[n]!
        taken[pair] = savedTaken[n]!
        users.set(savedUsers.subarray(from, to), pair * places)
        firstMs.set(savedFirstMs.subarray(from, to), pair * places)
        currentMs.set(savedCurrentMs.subarray(from, to), pair * places)
        from = to
      }
    },
  }
}
