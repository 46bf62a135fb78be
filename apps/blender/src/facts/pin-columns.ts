import { hash32 } from '@freshet/domain/hash'
import { anyLocale, createLocaleWords, type LocaleWords } from '@freshet/domain/locale-words'
import type { Pin } from '@freshet/domain/pin'
import { wordHashesOf } from '@freshet/domain/text-words'
import { addHash, createHashBits, mayContain } from '../hash-bits.ts'
import { createLabelBits, type LabelBits } from './label-bits.ts'
import { createWordLists } from './word-lists.ts'

/** Numbers of pins about which something is known. If it is known of none, no pin needs to be looked at for it. */
export interface FactCounts {
  /** Pins that may be shown only from or until some time. */
  readonly limitedInTime: number
  readonly labelled: number
  readonly ofMinAge: number
  /** Pins with an image signature. */
  readonly signed: number
}

/** What the catalogue says about a pin, by row, for reading. */
export interface ReadPinColumns {
  /** The counts of now: each fold changes them. */
  readonly counts: FactCounts
  /** `hash32` of the creator; 0: the pin has none. */
  creatorOf(row: number): number
  /** Whether a pin may have this creator, given as `hash32`. false: none has. */
  mayHaveCreator(creator: number): boolean
  /** `hash32` of one of the pin's first topics, from slot 0 on; 0: the pin has fewer. */
  topicAt(row: number, slot: number): number
  /** Whether `topics` contains the `hash32` of one of the pin's topics. */
  hasTopicOf(row: number, topics: ReadonlySet<number>): boolean
  /** Number of the pin's locale, see `LocaleWords`. */
  localeOf(row: number): number
  /** When the pin was published, seconds since the epoch; 0: not known. */
  createdAtSecondsOf(row: number): number
  /** The first second at which the pin may be shown, since the epoch; 0: no limit. Up to a second late, never early. */
  availableFromSecondsOf(row: number): number
  /** The first second at which the pin may no longer be shown, since the epoch; 0: no limit. Up to a second early, never late. */
  expiresAtSecondsOf(row: number): number
  /** Bits of the pin's safety labels, see `LabelBits`. */
  labelsOf(row: number): number
  /** Users must be at least this many years old; 0: no limit. */
  minAgeOf(row: number): number
  /** `hash32` of the image signature, never 0; 0: the pin has none. */
  signatureOf(row: number): number
  /** Whether the title or the description contains one of the words, given as hashes of `wordHashesOf`. */
  hasWordOf(row: number, words: Uint32Array): boolean
}

/** What the catalogue says about pins, in columns of 43 bytes per pin, and 4 to 6 bytes for each word that is kept. */
export interface PinColumns extends ReadPinColumns {
  readonly locales: LocaleWords
  readonly labels: LabelBits
  /** Makes room for rows below `rows`. */
  grow(rows: number): void
  describe(row: number, pin: Pin): void
  /** Forgets what it knows about a row. */
  clear(row: number): void
  bytes(): number
}

/** Caps of the columns. */
export interface PinColumnsOptions {
  readonly maxLocales: number
  readonly maxSafetyLabels: number
  /** Maximum number of distinct words of a pin that are kept; at most 255. */
  readonly maxWordsPerPin: number
}

/** With more creators, the set of known ones takes other users for one now and then. */
const manyCreators = 8_192

/** Number of first topics that `topicAt` knows. */
export const topicSlots = 4

/** Creates empty columns. */
export function createPinColumns({ maxLocales, maxSafetyLabels, maxWordsPerPin }: PinColumnsOptions): PinColumns {
  const locales = createLocaleWords(maxLocales)
  const labels = createLabelBits(maxSafetyLabels)
  const words = createWordLists()
  let creators = new Uint32Array(0)
  let topics = new Uint32Array(0)
  let localeNumbers = new Uint16Array(0)
  let createdAt = new Uint32Array(0)
  let availableFrom = new Uint32Array(0)
  let expiresAt = new Uint32Array(0)
  let labelBits = new Uint32Array(0)
  let minAges = new Uint8Array(0)
  let signatures = new Uint32Array(0)
  // Creators stay when their last pin goes: a filter then looks at pins in vain.
  const knownCreators = createHashBits(manyCreators)
  const moreTopics = new Map<number, Uint32Array>()

  const counts = { limitedInTime: 0, labelled: 0, ofMinAge: 0, signed: 0 }

  /** Adds a row to the counts; −1: takes it out again. */
  function count(row: number, by: 1 | -1): void {
    if (availableFrom[row] !== 0 || expiresAt[row] !== 0) counts.limitedInTime += by
    if (labelBits[row] !== 0) counts.labelled += by
    if (minAges[row] !== 0) counts.ofMinAge += by
    if (signatures[row] !== 0) counts.signed += by
  }

  function clear(row: number): void {
    count(row, -1)
    locales.drop(localeNumbers[row] as number)
    localeNumbers[row] = anyLocale
    moreTopics.delete(row)
    words.set(row, noWords)
    for (const column of [creators, createdAt, availableFrom, expiresAt, labelBits, signatures]) column[row] = 0
    minAges[row] = 0
    topics.fill(0, row * topicSlots, (row + 1) * topicSlots)
  }

  return {
    counts,
    locales,
    labels,
    grow(rows) {
      creators = grown(creators, rows)
      topics = grown(topics, rows * topicSlots)
      localeNumbers = copied(localeNumbers, new Uint16Array(rows))
      createdAt = grown(createdAt, rows)
      availableFrom = grown(availableFrom, rows)
      expiresAt = grown(expiresAt, rows)
      labelBits = grown(labelBits, rows)
      minAges = copied(minAges, new Uint8Array(rows))
      signatures = grown(signatures, rows)
      words.grow(rows)
    },
    describe(row, pin) {
      const { creatorId, topics: given, locale, createdAtMs, availableFromMs, expiresAtMs, imageSignature } = pin
      // The new locale is taken before the old one is dropped: one that stays keeps its number.
      const number = locales.take(locale)
      clear(row)
      localeNumbers[row] = number
      creators[row] = creatorId === null ? 0 : hash32(creatorId)
      addHash(knownCreators, creators[row])
      for (let i = 0; i < topicSlots; i++) {
        const topic = given[i]
        topics[row * topicSlots + i] = topic === undefined ? 0 : hash32(topic)
      }
      if (given.length > topicSlots) {
        moreTopics.set(
          row,
          Uint32Array.from(given.slice(topicSlots), (topic) => hash32(topic)),
        )
      }
      createdAt[row] = createdAtMs === null ? 0 : toSeconds(createdAtMs, Math.floor)
      availableFrom[row] = availableFromMs === null ? 0 : toSeconds(availableFromMs, Math.ceil)
      expiresAt[row] = expiresAtMs === null ? 0 : toSeconds(expiresAtMs, Math.floor)
      labelBits[row] = labels.take(pin.safetyLabels)
      minAges[row] = pin.minAge
      signatures[row] = imageSignature === null ? 0 : hash32(imageSignature) || 1
      words.set(row, maxWordsPerPin === 0 ? noWords : wordHashesOf([pin.title, pin.description], maxWordsPerPin))
      count(row, 1)
    },
    clear,
    mayHaveCreator: (creator) => mayContain(knownCreators, creator),
    creatorOf: (row) => creators[row] ?? 0,
    topicAt: (row, slot) => topics[row * topicSlots + slot] ?? 0,
    hasTopicOf(row, wanted) {
      for (let i = 0; i < topicSlots; i++) if (wanted.has(topics[row * topicSlots + i] as number)) return true
      return moreTopics.get(row)?.some((topic) => wanted.has(topic)) ?? false
    },
    localeOf: (row) => localeNumbers[row] ?? anyLocale,
    createdAtSecondsOf: (row) => createdAt[row] ?? 0,
    availableFromSecondsOf: (row) => availableFrom[row] ?? 0,
    expiresAtSecondsOf: (row) => expiresAt[row] ?? 0,
    labelsOf: (row) => labelBits[row] ?? 0,
    minAgeOf: (row) => minAges[row] ?? 0,
    signatureOf: (row) => signatures[row] ?? 0,
    hasWordOf: words.hasOneOf,
    bytes() {
      const numbers = creators.byteLength * 6 + topics.byteLength + localeNumbers.byteLength + minAges.byteLength
      return numbers + words.bytes() + locales.bytes()
    },
  }
}

const noWords = new Uint32Array(0)

/** Seconds since the epoch that fit 32 bits: times before 1970 become 1, those after 2106 the largest number. */
function toSeconds(timeMs: number, round: (value: number) => number): number {
  return Math.min(0xffffffff, Math.max(1, round(timeMs / 1000)))
}

function grown(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  return copied(column, new Uint32Array(length))
}

function copied<Column extends Uint8Array | Uint16Array | Uint32Array>(from: ArrayLike<number>, to: Column): Column {
  to.set(from)
  return to
}
