import { clearColumn } from '@freshet/columns/clear-column'
import type { PinId } from '@freshet/domain/ids'

import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** `known`: the pin is described, but has too few engagements. `learned`: it has its own embedding. */
export type PinRowState = 'free' | 'known' | 'learned'

/** Rows of the embedding table by pin. The row of a gone pin is reused; tickets tell the two pins apart. */
export interface PinRows {
  /** Rows in use. */
  readonly size: number
  /** One past the largest row ever used. */
  readonly limit: number
  rowOf(pinId: string): number
  /** A row for a new pin in state `known`; -1 where all are taken. */
  take(pinId: PinId): number
  release(row: number): void
  pinIdOf(row: number): PinId
  stateOf(row: number): PinRowState
  setState(row: number, state: PinRowState): void
  /** When a learned pin was last touched, milliseconds. */
  lastAtMs(row: number): number
  touch(row: number, atMs: number): void
  /** A number that identifies a row as long as its pin holds it. */
  ticketOf(row: number): number
  /** The row of a ticket; -1 if its pin is gone. */
  rowOfTicket(ticket: number): number
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** The most rows there can be: a ticket is a row and 8 bits that change when it is given to another pin. */
export const maxPinRows = 1 << 24

const states: readonly PinRowState[] = ['free', 'known', 'learned']

/** All rows free. */
export function createPinRows(maxPins: number): PinRows {
  let byPin = new Map<string, number>()
  let pinIds: (PinId | null)[] = []
  let freeRows: number[] = []
  const state = new Uint8Array(maxPins)
  const generation = new Uint8Array(maxPins)
  const lastAtMs = new Float64Array(maxPins)
  let idCharacters = 0

  return {
    get size() {
      return byPin.size
    },
    get limit() {
      return pinIds.length
    },
    rowOf: (pinId) => byPin.get(pinId) ?? -1,
    take(pinId) {
      const row = freeRows.pop() ?? (pinIds.length < maxPins ? pinIds.length : -1)
      if (row < 0) return -1
      pinIds[row] = pinId
      byPin.set(pinId, row)
      state[row] = states.indexOf('known')
      lastAtMs[row] = -Infinity
      idCharacters += pinId.length
      return row
    },
    release(row) {
      const pinId = pinIds[row]
      if (pinId === undefined || pinId === null) return
      byPin.delete(pinId)
      pinIds[row] = null
      state[row] = 0
      generation[row] = generation[row]! + 1
      freeRows.push(row)
      idCharacters -= pinId.length
    },
    pinIdOf: (row) => pinIds[row] as PinId,
    stateOf: (row) => states[state[row]!] ?? 'free',
    setState(row, to) {
      state[row] = states.indexOf(to)
    },
    lastAtMs: (row) => lastAtMs[row] ?? -Infinity,
    touch(row, atMs) {
      lastAtMs[row] = Math.max(lastAtMs[row] ?? -Infinity, atMs)
    },
    ticketOf: (row) => row + generation[row]! * maxPinRows,
    rowOfTicket(ticket) {
      const row = ticket % maxPinRows
      return generation[row] === Math.floor(ticket / maxPinRows) && state[row] !== 0 ? row : -1
    },
    // A map entry with its string: about 56 bytes beside the characters.
    bytes: () => pinIds.length * 10 + byPin.size * 64 + idCharacters,
    save(writer) {
      const limit = pinIds.length
      writer.json('pinIds', pinIds)
      writer.json('freeRows', freeRows)
      writer.u8('state', state.subarray(0, limit))
      writer.u8('generation', generation.subarray(0, limit))
      writer.f64('lastAtMs', lastAtMs.subarray(0, limit))
    },
    load(reader) {
      pinIds = reader.json('pinIds') as (PinId | null)[]
      freeRows = reader.json('freeRows') as number[]
      clearColumn(state)
      state.set(reader.u8('state'))
      clearColumn(generation)
      generation.set(reader.u8('generation'))
      lastAtMs.set(reader.f64('lastAtMs'))
      byPin = new Map()
      idCharacters = 0
      for (const [row, pinId] of pinIds.entries()) {
        if (pinId === null) continue
        byPin.set(pinId, row)
        idCharacters += pinId.length
      }
    },
  }
}
