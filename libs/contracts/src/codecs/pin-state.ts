import { actions } from '@freshet/domain/engagement'
import { noUsers, registers, type DistinctUsers } from '@freshet/domain/features/distinct-users'
import { buckets } from '@freshet/domain/features/positions'
import type { PinState } from '@freshet/domain/pin-state'
import { ContractError } from '../errors.ts'
import { PinFeatures as PinFeaturesMessage, PinState as PinStateMessage } from '../gen/freshet/state/v1/state.ts'
import { ascendingColumn, varintColumn } from '../varints.ts'
import { encodeFields } from '../wire.ts'
import { fromCountersMessage, writeCounters } from './counters.ts'
import { decodeOrThrow } from './engagement.ts'

/** Version of the layout that this code writes, and the newest that it reads. */
export const pinStateVersion = 1

/** Bytes of a pin's state as stored; the same state always gives the same bytes. */
export function encodePinState(state: PinState): Uint8Array {
  const { boards } = state
  return encodeFields((to) => {
    to.uint(1, pinStateVersion)
    to.varints(2, [state.firstAtMs, state.lastAtMs])
    writeCounters(to, 3, state.counters)
    writeCounters(to, 4, state.impressionsByPosition)
    writeCounters(to, 5, state.positivesByPosition)
    to.bytes(6, sketchBytes(state.users))
    to.text(7, boards.boardIds.join('\n'))
    to.gaps(8, boards.atMs)
    to.bytes(9, boards.stands)
  })
}

/** A pin's state from stored bytes. Throws CODEC_INVALID for bytes that are none, or of a newer layout. */
export function decodePinState(bytes: Uint8Array): PinState {
  const message = decodeOrThrow('freshet.state.v1.PinState', () => PinStateMessage.decode(bytes))
  if (message.version !== pinStateVersion) {
    throw invalid(`has layout ${message.version}; this version reads ${pinStateVersion}`)
  }
  const [firstAtMs = 0, lastAtMs = 0] = varintColumn(message.firstLastAtMs)
  const boardIds = message.boards === '' ? [] : message.boards.split('\n')
  const atMs = ascendingColumn(message.boardAtMs)
  if (atMs.length !== boardIds.length || message.boardStands.length !== boardIds.length) {
    throw invalid('has columns of boards of different lengths')
  }
  return {
    firstAtMs,
    lastAtMs,
    counters: fromCountersMessage(message.counters, actions.length),
    impressionsByPosition: fromCountersMessage(message.impressionsByPosition, buckets),
    positivesByPosition: fromCountersMessage(message.positivesByPosition, buckets),
    users: sketchOf(message.distinctUsers),
    // Copies, and not by `slice`: a Buffer's is a view of bytes that belong to the reader.
    boards: { boardIds, atMs, stands: new Uint8Array(message.boardStands) },
  }
}

/** A pin's state as `pin-features.v1` carries it. */
export interface PinFeatures {
  readonly pinId: string
  readonly state: PinState
  /** Position in `pin-engagements.v1` up to which it was folded: of two records of one pin the higher one is the newer. */
  readonly foldedTo: number
}

/** Bytes for `pin-features.v1` from the state's bytes as stored. */
export function encodePinFeatures(pinId: string, stateBytes: Uint8Array, foldedTo: number): Uint8Array {
  return encodeFields((to) => {
    to.text(1, pinId)
    to.bytes(2, stateBytes)
    to.uint(3, foldedTo)
  })
}

/** A pin's state from a record of `pin-features.v1`. Throws CODEC_INVALID. */
export function decodePinFeatures(bytes: Uint8Array): PinFeatures {
  const { pinId, state, foldedTo } = decodeOrThrow('freshet.state.v1.PinFeatures', () =>
    PinFeaturesMessage.decode(bytes),
  )
  return { pinId, state: decodePinState(state), foldedTo }
}

function sketchBytes(sketch: DistinctUsers): Uint8Array {
  let used = 0
  for (const rank of sketch) if (rank > 0) used++
  if (2 * used >= registers) return sketch
  const pairs = new Uint8Array(2 * used)
  let at = 0
  for (let register = 0; at < pairs.length; register++) {
    const rank = sketch[register] ?? 0
    if (rank === 0) continue
    pairs[at++] = register
    pairs[at++] = rank
  }
  return pairs
}

function sketchOf(bytes: Uint8Array): DistinctUsers {
  if (bytes.length === 0) return noUsers
  if (bytes.length === registers) return new Uint8Array(bytes)
  if (bytes.length > registers || bytes.length % 2 !== 0) throw invalid('has a sketch of the wrong length')
  const sketch = new Uint8Array(registers)
  for (let i = 0; i < bytes.length; i += 2) sketch[bytes[i] ?? 0] = bytes[i + 1] ?? 0
  return sketch
}

function invalid(problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `freshet.state.v1.PinState ${problem}`)
}
