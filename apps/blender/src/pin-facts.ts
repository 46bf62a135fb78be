import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { hash32 } from '@freshet/domain/hash'
import { anyLocale, createLocaleWords } from '@freshet/domain/locale-words'
import type { Pin, PinChange } from '@freshet/domain/pin'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { createKeyTable } from '@freshet/columns/key-table'
import { createRecency } from '@freshet/columns/recency'

/** The topic that the facts fold. */
export const factTopic = 'pins.v1'

/** What filters have to know of pins: folded from the catalogue, in columns of about 80 bytes a pin. */
export interface PinFacts {
  /** Folds a batch; what was folded already is passed over. */
  fold(batch: LogBatch): void
  /** The row of a pin; −1: the catalogue does not have it. */
  rowOf(high: number, low: number): number
  /** Whether the pin was deleted. Of pins deleted long ago `rowOf` gives −1. */
  isDeleted(row: number): boolean
  /** `hash32` of the creator; 0: none given. */
  creatorOf(row: number): number
  /** Whether one of the pin's topics is among these `hash32`s. */
  hasTopicOf(row: number, topics: ReadonlySet<number>): boolean
  /** See `LocaleWords`, which gives what fits a reader. */
  localeOf(row: number): number
  localesFor(reader: string): Uint8Array | null
  /** Whether a pin has a locale that fits the reader, beside those that fit everybody. */
  knowsLocale(reader: string): boolean
  readonly progress: LogProgress
  stats(): PinFactsStats
  /** What is full, in words for an operator; null: nothing is. */
  full(): string | null
}

/** Pins known, and what found no room. */
export interface PinFactsStats {
  readonly pins: number
  readonly refused: number
  readonly refusedLocales: number
  readonly rejected: number
  readonly bytes: number
}

/** Caps. */
export interface PinFactsOptions {
  /** Pins, with those deleted lately. Further ones are counted and not known, so they are not shown. */
  readonly maxPins: number
  /** Locales; pins of further ones are counted, and fit nobody who asks for a locale. */
  readonly maxLocales?: number
  /** Deleted pins that are told from pins that never were. */
  readonly maxDeleted?: number
}

const topicSlots = 4

/** Facts of no pins. */
export function createPinFacts({
  maxPins,
  maxLocales = 2_000,
  maxDeleted = Math.min(maxPins, 10_000),
}: PinFactsOptions): PinFacts {
  const progress = createLogProgress()
  const byKey = createKeyTable()
  const deletedLately = createRecency()
  const locales = createLocaleWords(maxLocales)
  let capacity = 1024
  let high = new Uint32Array(capacity)
  let low = new Uint32Array(capacity)
  let creators = new Uint32Array(capacity)
  let topics = new Uint32Array(capacity * topicSlots)
  let localeNumbers = new Uint16Array(capacity)
  let deleted = new Uint8Array(capacity)
  const moreTopics = new Map<number, Uint32Array>()
  const freeRows: number[] = []
  let rowLimit = 0
  let refused = 0
  let rejected = 0

  function grow(): void {
    capacity *= 2
    high = grown(high, capacity)
    low = grown(low, capacity)
    creators = grown(creators, capacity)
    topics = grown(topics, capacity * topicSlots)
    const numbers = new Uint16Array(capacity)
    numbers.set(localeNumbers)
    localeNumbers = numbers
    const flags = new Uint8Array(capacity)
    flags.set(deleted)
    deleted = flags
  }

  /** The row of a pin, a new one where it has none; −1 where there is no room. */
  function intern(pinId: string): number {
    const keys = pinKeysOf([pinId])
    const [h, l] = [keys.high[0] as number, keys.low[0] as number]
    const known = byKey.get(h, l)
    if (known >= 0) return known
    if (byKey.size >= maxPins) {
      if (deletedLately.oldest < 0) {
        refused++
        return -1
      }
      free(deletedLately.oldest)
    }
    const row = freeRows.pop() ?? rowLimit++
    if (row >= capacity) grow()
    high[row] = h
    low[row] = l
    localeNumbers[row] = anyLocale
    deleted[row] = 0
    byKey.set(h, l, row)
    return row
  }

  /** Forgets a deleted pin; its row is another's from now on. */
  function free(row: number): void {
    deletedLately.remove(row)
    byKey.delete(high[row] as number, low[row] as number)
    freeRows.push(row)
  }

  function undescribe(row: number): void {
    locales.drop(localeNumbers[row] as number)
    localeNumbers[row] = anyLocale
    moreTopics.delete(row)
  }

  function describe(row: number, { creatorId, topics: given, locale }: Pin): void {
    const number = locales.take(locale)
    undescribe(row)
    localeNumbers[row] = number
    creators[row] = creatorId === null ? 0 : hash32(creatorId)
    for (let i = 0; i < topicSlots; i++) {
      const topic = given[i]
      topics[row * topicSlots + i] = topic === undefined ? 0 : hash32(topic)
    }
    if (given.length <= topicSlots) return
    const more = given.slice(topicSlots).map((topic) => hash32(topic))
    moreTopics.set(row, Uint32Array.from(more))
  }

  function apply(change: PinChange): void {
    const row = intern(change.kind === 'upsert' ? change.pin.pinId : change.pinId)
    if (row < 0) return
    deleted[row] = change.kind === 'delete' ? 1 : 0
    if (change.kind === 'upsert') {
      deletedLately.remove(row)
      describe(row, change.pin)
      return
    }
    undescribe(row)
    deletedLately.touch(row)
    while (deletedLately.size > maxDeleted) free(deletedLately.oldest)
  }

  return {
    fold({ topic, partition, records, next }) {
      if (topic !== factTopic) return
      const done = progress.position(topic, partition) ?? 0
      for (const { position, key, value } of records) {
        if (position < done) continue
        try {
          apply(decodePinChange(key, value))
        } catch (error) {
          if (!isContractError(error)) throw error
          rejected++
        }
      }
      progress.advance(topic, partition, next)
    },
    rowOf: byKey.get,
    isDeleted: (row) => deleted[row] === 1,
    creatorOf: (row) => creators[row] ?? 0,
    hasTopicOf(row, wanted) {
      for (let i = 0; i < topicSlots; i++) if (wanted.has(topics[row * topicSlots + i] as number)) return true
      return moreTopics.get(row)?.some((topic) => wanted.has(topic)) ?? false
    },
    localeOf: (row) => localeNumbers[row] ?? anyLocale,
    localesFor: locales.fitting,
    knowsLocale: locales.isKnown,
    progress,
    stats: () => ({
      pins: byKey.size - deletedLately.size,
      refused,
      refusedLocales: locales.refused,
      rejected,
      bytes: capacity * (4 + 4 + 4 + 4 * topicSlots + 2 + 1) + byKey.bytes() + deletedLately.bytes() + locales.bytes(),
    }),
    full() {
      const problems = [
        ...(refused > 0 ? [`${refused} pins found no room and are not shown (maxPins is ${maxPins})`] : []),
        ...(locales.refused > 0
          ? [`${locales.refused} pins have a locale beyond the ${maxLocales} there is room for`]
          : []),
      ]
      return problems.length === 0 ? null : problems.join('; ')
    },
  }
}

function grown(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(length)
  longer.set(column)
  return longer
}
