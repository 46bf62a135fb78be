import { decodeOrThrow } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { decodePinState } from '@freshet/contracts/codecs/pin-state'
import { isContractError } from '@freshet/contracts/errors'
import { PinFeatures } from '@freshet/contracts/gen/freshet/state/v1/state'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch, LogRecord } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'

/** The topics that the ranker folds. */
export const viewTopics = ['pins.v1', 'pin-features.v1'] as const satisfies readonly TopicName[]

/** The catalogue and the pins' states, in memory: the newest record of each pin. */
export interface RankerViews {
  fold(batch: LogBatch): void
  readonly progress: LogProgress
  /** The pin without its visual embedding; undefined: not known, or deleted. */
  pinOf(pinId: string): Pin | undefined
  /** null: nobody has engaged with it yet. */
  stateOf(pinId: string): PinState | null
  stats(): {
    readonly pins: number
    readonly states: number
    readonly refused: number
    readonly rejected: Readonly<Record<string, number>>
  }
}

/** Empty views of at most `maxPins` pins and states. */
export function createRankerViews({
  maxPins,
  maxDecodedStates,
}: {
  readonly maxPins: number
  readonly maxDecodedStates: number
}): RankerViews {
  const progress = createLogProgress()
  const pins = new Map<string, Pin>()
  const states = new Map<string, { readonly bytes: Uint8Array; readonly foldedTo: number }>()
  const decoded = createDecodedStates(maxDecodedStates)
  const rejected = new Map<string, number>()
  let refused = 0

  function foldPin({ key, value }: LogRecord): void {
    const change = decodePinChange(key, value)
    if (change.kind === 'delete') pins.delete(change.pinId)
    else if (pins.size < maxPins || pins.has(change.pin.pinId))
      pins.set(change.pin.pinId, { ...change.pin, visualEmbedding: null })
    else refused++
  }

  function foldState({ key, value }: LogRecord): void {
    if (value === null) {
      states.delete(key)
      decoded.delete(key)
      return
    }
    const { pinId, state, foldedTo } = decodeOrThrow('freshet.state.v1.PinFeatures', () => PinFeatures.decode(value))
    const before = states.get(pinId)
    // A record sent again after a crash may be older than what is here.
    if (before !== undefined && before.foldedTo > foldedTo) return
    if (before === undefined && states.size >= maxPins) refused++
    else {
      // A copy, and not by `slice`: a Buffer's is a view that would keep the whole fetched batch alive.
      states.set(pinId, { bytes: new Uint8Array(state), foldedTo })
      decoded.delete(pinId)
    }
  }

  return {
    fold(batch) {
      const done = progress.position(batch.topic, batch.partition) ?? 0
      for (const record of batch.records) {
        if (record.position < done) continue
        try {
          if (batch.topic === 'pins.v1') foldPin(record)
          else foldState(record)
        } catch (error) {
          const reason = isContractError(error) ? error.code : 'FOLD_FAILED'
          rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
        }
      }
      progress.advance(batch.topic, batch.partition, batch.next)
    },
    progress,
    pinOf: (pinId) => pins.get(pinId),
    stateOf(pinId) {
      const known = decoded.get(pinId)
      if (known !== undefined) return known
      const stored = states.get(pinId)
      if (stored === undefined) return null
      const state = decodePinState(stored.bytes)
      decoded.set(pinId, state)
      return state
    },
    stats: () => ({ pins: pins.size, states: states.size, refused, rejected: Object.fromEntries(rejected) }),
  }
}

interface DecodedStates {
  get(pinId: string): PinState | undefined
  set(pinId: string, state: PinState): void
  delete(pinId: string): void
}

/**
 * The states asked for last, between half of `max` and `max` of them. In two generations: an exact order of use would
 * cost two writes for each candidate of each page.
 */
function createDecodedStates(max: number): DecodedStates {
  const half = Math.max(1, Math.floor(max / 2))
  let young = new Map<string, PinState>()
  let old = new Map<string, PinState>()
  const set = (pinId: string, state: PinState): void => {
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(pinId, state)
  }
  return {
    get(pinId) {
      const state = young.get(pinId)
      if (state !== undefined) return state
      const before = old.get(pinId)
      if (before !== undefined) set(pinId, before)
      return before
    },
    set,
    delete(pinId) {
      young.delete(pinId)
      old.delete(pinId)
    },
  }
}
