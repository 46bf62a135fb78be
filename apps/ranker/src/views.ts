import { decodeOrThrow } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { decodePinState, refuseNewerPinFeatures } from '@freshet/contracts/codecs/pin-state'
import { pinTotalsIn } from '@freshet/contracts/codecs/pin-totals'
import { isContractError } from '@freshet/contracts/errors'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import { PinFeatures } from '@freshet/contracts/gen/freshet/state/v1/state'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch, LogRecord } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import { createOverallCounts, type PinContribution } from '@freshet/domain/features/overall-rates'
import { PinReading } from '@freshet/domain/features/pin-reading'
import { hash32 } from '@freshet/domain/hash'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'
import type { PinEntry, PinFacts } from '@freshet/ranking/features/read-candidates'
import { createEntries } from './entries.ts'
import { createReadings } from './readings.ts'
import { createWords } from './words.ts'

/** The topics that the ranker folds. */
export const viewTopics = ['pins.v1', 'pin-features.v1'] as const satisfies readonly TopicName[]

/** The catalogue and the pins' states in memory: the newest record of each pin. */
export interface RankerViews extends PinFacts {
  fold(batch: LogBatch): void
  readonly progress: LogProgress
  /** The pin's state, decoded for this call; null: no user has engaged with it yet. */
  stateOf(pinId: string): PinState | null
  stats(): {
    readonly pins: number
    readonly states: number
    readonly refused: number
    /** Number of states of pins outside the catalogue that were dropped to make room. */
    readonly displaced: number
    readonly rejected: Readonly<Record<string, number>>
  }
}

interface Entry extends PinEntry {
  pin: Pin | null
  state: { readonly bytes: Uint8Array; readonly foldedTo: number } | null
  reading: PinReading | null
  /** The state cannot be decoded. The pin counts as a pin without state until its next record. */
  isBroken: boolean
  /** The generation in which `reading` was last used. */
  generation: number
}

/** Empty views of at most `maxPins` pins and as many states, about `maxDecodedStates` of them decoded. */
export function createRankerViews({
  maxPins,
  maxDecodedStates,
}: {
  readonly maxPins: number
  readonly maxDecodedStates: number
}): RankerViews {
  const progress = createLogProgress()
  const versions = createPinVersions({ maxVersions: 2 * maxPins })
  const entries = createEntries<Entry>()
  // Pins of the catalogue by `hash32` of their ids. Of two with the same one, the later is not found, which no feature notices.
  const byFingerprint = new Map<number, Entry>()
  const overall = createOverallCounts()
  const readings = createReadings(maxDecodedStates)
  const words = createWords()
  const rejected = new Map<string, number>()
  let pins = 0
  let states = 0
  // States of pins outside the catalogue, the oldest first. They are dropped when there is no room.
  const unlisted = new Map<string, Entry>()
  let refused = 0
  let displaced = 0

  function entryFor(pinId: string): Entry {
    let entry = entries.get(pinId)
    if (entry === undefined) {
      entry = { pin: null, state: null, reading: null, isBroken: false, generation: -1 }
      entries.set(pinId, entry)
    }
    return entry
  }

  /** Changes an entry's pin or state, and what the pin contributes to the rates of its topics and creator. */
  function change(entry: Entry, to: Partial<Pick<Entry, 'pin' | 'state'>>): void {
    const before = contributionOf(entry)
    Object.assign(entry, to)
    const after = contributionOf(entry)
    if (before !== null || after !== null) overall.replace(before, after)
  }

  function keepOrder(pinId: string, entry: Entry): void {
    unlisted.delete(pinId)
    if (entry.pin === null && entry.state !== null) unlisted.set(pinId, entry)
  }

  /** Drops the oldest state of a pin outside the catalogue to make room. false: there is none. */
  function displaceState(): boolean {
    const [oldest] = unlisted
    if (oldest === undefined) return false
    const [pinId, entry] = oldest
    change(entry, { state: null })
    entry.reading = null
    states--
    displaced++
    unlisted.delete(pinId)
    dropIfEmpty(pinId, entry)
    return true
  }

  function dropIfEmpty(pinId: string, entry: Entry): void {
    if (entry.pin === null && entry.state === null) entries.delete(pinId)
  }

  function foldPin({ key, value }: LogRecord): void {
    const changed = decodePinChange(key, value)
    if (!versions.acceptChange(changed)) return
    const pinId = changed.kind === 'delete' ? changed.pinId : changed.pin.pinId
    const known = entries.get(pinId)
    if (changed.kind === 'delete') {
      if (known === undefined || known.pin === null) return
      change(known, { pin: null })
      pins--
      if (byFingerprint.get(hash32(pinId)) === known) byFingerprint.delete(hash32(pinId))
      keepOrder(pinId, known)
      dropIfEmpty(pinId, known)
      return
    }
    const isNew = known === undefined || known.pin === null
    if (isNew && pins >= maxPins) {
      refused++
      return
    }
    if (isNew) pins++
    const { topics, creatorId, locale, safetyLabels } = changed.pin
    const pin = {
      ...changed.pin,
      visualEmbedding: null,
      topics: words.list(topics),
      creatorId: creatorId === null ? null : words.one(creatorId),
      locale: locale === null ? null : words.one(locale),
      safetyLabels: words.list(safetyLabels),
    }
    const entry = entryFor(pinId)
    change(entry, { pin })
    if (!byFingerprint.has(hash32(pinId))) byFingerprint.set(hash32(pinId), entry)
    unlisted.delete(pinId)
  }

  function forgetState(pinId: string): void {
    const known = entries.get(pinId)
    if (known === undefined || known.state === null) return
    change(known, { state: null })
    known.reading = null
    states--
    unlisted.delete(pinId)
    dropIfEmpty(pinId, known)
  }

  function foldState({ key, value }: LogRecord): void {
    if (value === null) {
      forgetState(key)
      return
    }
    const features = decodeOrThrow('freshet.state.v1.PinFeatures', () => PinFeatures.decode(value))
    const { pinId, state, foldedTo } = features
    const before = entries.get(pinId)?.state ?? null
    // After a crash the updater may send an older record again.
    if (before !== null && before.foldedTo > foldedTo) return
    try {
      refuseNewerPinFeatures(features)
    } catch (error) {
      // Features of a newer fold are missing here, rather than those of before or what this version would make of them.
      forgetState(pinId)
      throw error
    }
    if (before === null && states >= maxPins && !displaceState()) {
      refused++
      return
    }
    if (before === null) states++
    const entry = entryFor(pinId)
    // Copy, but not with `slice`: on a Buffer it makes a view, which would keep the whole fetched batch in memory.
    change(entry, { state: { bytes: new Uint8Array(state), foldedTo } })
    entry.reading = null
    entry.isBroken = false
    keepOrder(pinId, entry)
  }

  function reject(error: unknown): void {
    const reason = isContractError(error) ? error.code : 'FOLD_FAILED'
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
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
          reject(error)
        }
      }
      progress.advance(batch.topic, batch.partition, batch.next)
    },
    progress,
    entryOf: (pinId) => entries.get(pinId),
    pinOf: (fingerprint) => byFingerprint.get(fingerprint)?.pin ?? undefined,
    overallRates: () => overall.rates(),
    readingOf(given) {
      const entry = given as Entry
      if (entry.state === null || entry.isBroken) return null
      let { reading } = entry
      try {
        const { bytes } = entry.state
        reading ??= new PinReading(() => decodePinState(bytes))
      } catch (error) {
        entry.isBroken = true
        reject(error)
        return null
      }
      // This may drop readings, including this one.
      readings.use(entry)
      entry.reading = reading
      return reading
    },
    stateOf(pinId) {
      const bytes = entries.get(pinId)?.state?.bytes
      return bytes === undefined ? null : decodePinState(bytes)
    },
    stats() {
      const { stale } = versions.stats()
      const byReason = { ...Object.fromEntries(rejected), ...(stale > 0 && { PIN_STALE: stale }) }
      return { pins, states, refused, displaced, rejected: byReason }
    },
  }
}

/** null: the pin is not in the catalogue, has no state, or its state cannot be read. */
function contributionOf({ pin, state }: Entry): PinContribution | null {
  if (pin === null || state === null) return null
  try {
    return { topics: pin.topics, creatorId: pin.creatorId, totals: pinTotalsIn(state.bytes) }
  } catch (error) {
    if (isContractError(error)) return null
    throw error
  }
}
