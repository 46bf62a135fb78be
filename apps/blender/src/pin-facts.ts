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

/** The topic from which the facts are folded. */
export const factTopic = 'pins.v1'

/** The facts about pins that filters need, folded from the catalogue into columns of about 80 bytes per pin. */
export interface PinFacts {
  /** Folds a batch and skips records that it has folded before. */
  fold(batch: LogBatch): void
  /** The row of a pin; −1: the pin is not in the catalogue. */
  rowOf(high: number, low: number): number
  /** Whether the pin was deleted. For pins deleted long ago `rowOf` gives −1. */
  isDeleted(row: number): boolean
  /** `hash32` of the creator; 0: the pin has none. */
  creatorOf(row: number): number
  /** `hash32` of one of the pin's first topics, from slot 0 on; 0: the pin has fewer. */
  topicAt(row: number, slot: number): number
  /** Whether `topics` contains the `hash32` of one of the pin's topics. */
  hasTopicOf(row: number, topics: ReadonlySet<number>): boolean
  /** Number of the pin's locale, see `LocaleWords`. */
  localeOf(row: number): number
  /** Flags by locale number: 1 where the locale fits the reader, see `LocaleWords`. */
  localesFor(reader: string): Uint8Array | null
  /** Whether some pin has a locale that fits the reader, not counting pins without a locale. */
  knowsLocale(reader: string): boolean
  /** The locales of pins by number, see `LocaleWords`. */
  localeTags(): readonly (string | null)[]
  readonly progress: LogProgress
  stats(): PinFactsStats
  /** A message for operators about caps that were reached; null: none was. */
  full(): string | null
}

/** Number of known pins, and of pins and locales beyond the caps. */
export interface PinFactsStats {
  readonly pins: number
  readonly refused: number
  readonly refusedLocales: number
  readonly rejected: number
  readonly bytes: number
}

/** Caps. */
export interface PinFactsOptions {
  /** Maximum number of pins, including recently deleted ones. Further pins are counted and not shown. */
  readonly maxPins: number
  /** Maximum number of locales. Pins of further locales are counted, and do not fit a request with a locale. */
  readonly maxLocales?: number
  /** Maximum number of deleted pins to remember as deleted. Older ones count as unknown. */
  readonly maxDeleted?: number
}

/** Number of first topics that `topicAt` knows. */
export const topicSlots = 4

/** Creates empty facts. */
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

  /** The row of a pin. Allocates a row for a new pin; −1: there is no room. */
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

  /** Forgets a deleted pin, so that another pin can use its row. */
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
    topicAt: (row, slot) => topics[row * topicSlots + slot] ?? 0,
    hasTopicOf(row, wanted) {
      for (let i = 0; i < topicSlots; i++) if (wanted.has(topics[row * topicSlots + i] as number)) return true
      return moreTopics.get(row)?.some((topic) => wanted.has(topic)) ?? false
    },
    localeOf: (row) => localeNumbers[row] ?? anyLocale,
    localesFor: locales.fitting,
    knowsLocale: locales.isKnown,
    localeTags: () => locales.tags(),
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
        ...(refused > 0
          ? [`${refused} pins are not shown because there is no room for them (maxPins is ${maxPins})`]
          : []),
        ...(locales.refused > 0
          ? [`${locales.refused} pins have a locale for which there is no room (maxLocales is ${maxLocales})`]
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
