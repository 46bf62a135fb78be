import { noUsers, registers, type DistinctUsers } from '@freshet/domain/features/distinct-users'
import { noPinCounters, type OwnPinState, type PinState } from '@freshet/domain/pin-state'
import { ContractError } from '../errors.ts'
import { PinFeatures as PinFeaturesMessage, PinState as PinStateMessage } from '../gen/freshet/state/v1/state.ts'
import { ascendingColumn, varintColumn } from '../bytes/varints.ts'
import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { fromCountersMessage, writeCounters } from './counters.ts'
import { decodeOrThrow } from './engagement.ts'
import { refuseNewer } from './newer.ts'

/** Version of the layout that this code writes, and the newest that it reads. */
const pinStateVersion = 1

/** Version of the rules by which this code folds pins: see `userFoldVersion`. */
export const pinFoldVersion = 1

/** Encodes a pin's state for storage. The same state always has the same bytes. */
export function encodePinState(state: PinState): Uint8Array {
  return encodeFields((to) => {
    writePinState(to, state)
  })
}

/** The fold version as it is written: version 1 is omitted. */
const writtenFold = (pinFoldVersion as number) === 1 ? 0 : pinFoldVersion

function writePinState(to: FieldWriter, state: PinState): void {
  const { boards } = state
  to.uint(1, pinStateVersion)
  to.varints(2, [state.firstAtMs, state.lastAtMs])
  writeCounters(to, 3, state.counters)
  writeCounters(to, 4, state.impressionsByPosition)
  writeCounters(to, 5, state.positivesByPosition)
  to.range(6, sketch, 0, toSketch(state.users))
  if (boards.boardIds.length > 0) {
    to.text(7, boards.boardIds.join('\n'))
    to.gaps(8, boards.atMs)
    to.bytes(9, boards.stands)
  }
  to.uint(10, writtenFold)
}

/** Decodes a pin's state from stored bytes. Throws CODEC_INVALID for invalid bytes, CODEC_NEWER for a newer layout or fold. */
export function decodePinState(bytes: Uint8Array): OwnPinState {
  const message = decodeOrThrow('freshet.state.v1.PinState', () => PinStateMessage.decode(bytes))
  if (message.version < 1) throw invalid(`has layout ${message.version}; this version reads ${pinStateVersion}`)
  refuseNewer('freshet.state.v1.PinState', 'layout', message.version, pinStateVersion)
  refuseNewer('freshet.state.v1.PinState', 'fold', message.foldVersion, pinFoldVersion)
  const [firstAtMs = 0, lastAtMs = 0] = varintColumn(message.firstLastAtMs)
  const boardIds = message.boards === '' ? [] : message.boards.split('\n')
  const atMs = ascendingColumn(message.boardAtMs)
  if (atMs.length !== boardIds.length || message.boardStands.length !== boardIds.length) {
    throw invalid('has columns of boards of different lengths')
  }
  const [counters, impressionsByPosition, positivesByPosition] = noPinCounters()
  return {
    firstAtMs,
    lastAtMs,
    counters: fromCountersMessage(message.counters, counters),
    impressionsByPosition: fromCountersMessage(message.impressionsByPosition, impressionsByPosition),
    positivesByPosition: fromCountersMessage(message.positivesByPosition, positivesByPosition),
    users: sketchOf(message.distinctUsers),
    // Copies. `slice` would not copy: for a Buffer it returns a view of bytes that belong to the reader.
    boards: { boardIds, atMs, stands: new Uint8Array(message.boardStands) },
  }
}

/** A pin's state as `pin-features.v1` carries it. */
export interface PinFeatures {
  readonly pinId: string
  readonly state: PinState
  /** Position in `pin-engagements.v1` up to which it was folded. Of two records of one pin, the one with the higher position is newer. */
  readonly foldedTo: number
}

/** Bytes for `pin-features.v1`, and the stored bytes of the state alone, which are part of them. */
export function encodePinFeatures(
  pinId: string,
  state: PinState,
  foldedTo: number,
): { readonly features: Uint8Array; readonly stored: Uint8Array } {
  let length = 0
  let end = 0
  const features = encodeFields((to) => {
    to.text(1, pinId)
    to.message(2, () => {
      const start = to.length()
      writePinState(to, state)
      length = to.length() - start
    })
    end = to.length()
    to.uint(3, foldedTo)
    to.uint(4, writtenFold)
  })
  return { features, stored: features.subarray(end - length, end) }
}

/** A pin's state from a record of `pin-features.v1`. Throws CODEC_INVALID. */
export function decodePinFeatures(bytes: Uint8Array): PinFeatures {
  const { pinId, state, foldedTo } = decodeOrThrow('freshet.state.v1.PinFeatures', () =>
    PinFeaturesMessage.decode(bytes),
  )
  return { pinId, state: decodePinState(state), foldedTo }
}

/** The byte before the layout: field 1, a varint. */
const layoutTag = 8

/** Throws CODEC_NEWER for a published state that `decodePinState` would refuse, without decoding it. */
export function refuseNewerPinFeatures({
  state,
  foldVersion,
}: Pick<PinFeaturesMessage, 'state' | 'foldVersion'>): void {
  // The layout is the first field of every state. Bytes that begin otherwise are damaged, and decoding them says so.
  refuseNewer('freshet.state.v1.PinState', 'layout', state[0] === layoutTag ? (state[1] ?? 0) : 0, pinStateVersion)
  refuseNewer('freshet.state.v1.PinState', 'fold', foldVersion, pinFoldVersion)
}

const sketch = new Uint8Array(2 * registers)

/** Encodes a sketch into `sketch` and returns its length. */
function toSketch(ranks: DistinctUsers): number {
  let length = 0
  for (let register = 0; register < registers; register++) {
    const rank = ranks[register] ?? 0
    if (rank === 0) continue
    sketch[length++] = register
    sketch[length++] = rank
  }
  if (length < registers) return length
  sketch.set(ranks)
  return registers
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
