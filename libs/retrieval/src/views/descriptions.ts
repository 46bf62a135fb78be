import type { CreatorId, TopicId } from '@freshet/domain/ids'
import { anyLocale, createLocaleWords } from '@freshet/domain/locale-words'
import type { Pin } from '@freshet/domain/pin'

import { grownFloat64, grownInt32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createWords } from './words.ts'

const maxTopicsPerPin = 8

/** The owner's descriptions of pins, for reading, by row. -1 means "none". */
export interface ReadDescriptions {
  creatorOf(row: number): number
  /** See `LocaleWords`. */
  localeOf(row: number): number
  /** When the pin was published, milliseconds since the epoch; NaN if unknown. */
  createdAtMsOf(row: number): number
  topicCountOf(row: number): number
  topicOf(row: number, index: number): number
  /** Numbers of names in descriptions; -1 for a name that no pin has. */
  creatorRow(creatorId: string): number
  topicRow(topicId: string): number
  /** By number of a locale: 1 if it fits the reader's; null if all fit. Valid until the next change. */
  localesFor(reader: string): Uint8Array | null
  /** The language of a pin, and of a reader's locale; null if it has none. */
  languageOf(row: number): string | null
  languageFor(reader: string): string | null
  creatorIdOf(creator: number): CreatorId
  topicIdOf(topic: number): TopicId
}

/** The owner's descriptions of pins. A name keeps its number as long as a pin uses it. */
export interface Descriptions extends ReadDescriptions {
  /** Makes room for rows below `size`. */
  grow(size: number): void
  /** Stores a pin's description; false if its creator, a topic or its locale found no room and was left out. */
  describe(row: number, pin: Pin): boolean
  clear(row: number): void
  bytes(): number
  save(writer: SectionWriter, size: number): void
  load(reader: SectionReader): void
}

/** The most distinct names at a time. */
export interface WordCaps {
  readonly maxCreators?: number
  readonly maxTopics?: number
  readonly maxLocales?: number
}

/** Creates empty descriptions. */
export function createDescriptions({
  maxCreators = Infinity,
  maxTopics = Infinity,
  maxLocales = Infinity,
}: WordCaps): Descriptions {
  const creators = createWords(maxCreators)
  const topics = createWords(maxTopics)
  const locales = createLocaleWords(maxLocales)
  let creator = new Int32Array(0)
  let locale = new Int32Array(0)
  let createdAtMs = new Float64Array(0)
  let topicCount = new Uint8Array(0)
  let topic = new Int32Array(0)

  function blank(row: number): void {
    creator[row] = -1
    locale[row] = anyLocale
    createdAtMs[row] = NaN
    topicCount[row] = 0
  }

  function clear(row: number): void {
    creators.drop(creator[row] ?? -1)
    locales.drop(locale[row] ?? anyLocale)
    for (let i = 0; i < topicCount[row]!; i++) topics.drop(topic[row * maxTopicsPerPin + i] ?? -1)
    blank(row)
  }

  function grow(size: number): void {
    const from = creator.length
    if (size <= from) return
    const capacity = nextCapacity(from, size)
    creator = grownInt32(creator, capacity)
    locale = grownInt32(locale, capacity)
    createdAtMs = grownFloat64(createdAtMs, capacity)
    topicCount = grownUint8(topicCount, capacity)
    topic = grownInt32(topic, capacity * maxTopicsPerPin)
    for (let row = from; row < capacity; row++) blank(row)
  }

  return {
    grow,
    describe(row, pin) {
      // New words are taken before old ones are dropped: one that stays keeps its number.
      const refusedLocales = locales.refused
      const newLocale = locales.take(pin.locale)
      const newCreator = pin.creatorId === null ? -1 : creators.take(pin.creatorId)
      const given = pin.topics.slice(0, maxTopicsPerPin)
      const newTopics = given.map((each) => topics.take(each)).filter((number) => number >= 0)
      clear(row)
      creator[row] = newCreator
      locale[row] = newLocale
      createdAtMs[row] = pin.createdAtMs ?? NaN
      topicCount[row] = newTopics.length
      topic.set(newTopics, row * maxTopicsPerPin)
      const hasCreator = pin.creatorId === null || newCreator >= 0
      return hasCreator && newTopics.length === given.length && locales.refused === refusedLocales
    },
    clear,
    creatorOf: (row) => creator[row] ?? -1,
    localeOf: (row) => locale[row] ?? anyLocale,
    createdAtMsOf: (row) => createdAtMs[row] ?? NaN,
    topicCountOf: (row) => topicCount[row]!,
    topicOf: (row, index) => topic[row * maxTopicsPerPin + index] ?? -1,
    creatorRow: creators.rowOf,
    topicRow: topics.rowOf,
    localesFor: locales.fitting,
    languageOf: (row) => locales.languageOf(locale[row] ?? anyLocale),
    languageFor: locales.languageFor,
    creatorIdOf: (number) => creators.wordOf(number) as CreatorId,
    topicIdOf: (number) => topics.wordOf(number) as TopicId,
    bytes() {
      const columns = creator.byteLength + locale.byteLength + createdAtMs.byteLength
      return columns + topicCount.byteLength + topic.byteLength + creators.bytes() + topics.bytes() + locales.bytes()
    },
    save(writer, size) {
      writer.json('creators', creators.all())
      writer.json('topics', topics.all())
      writer.json('locales', locales.tags())
      writer.i32('creator', creator.subarray(0, size))
      writer.i32('locale', locale.subarray(0, size))
      writer.f64('createdAtMs', createdAtMs.subarray(0, size))
      writer.u8('topicCount', topicCount.subarray(0, size))
      writer.i32('topic', topic.subarray(0, size * maxTopicsPerPin))
    },
    load(reader) {
      creators.replace(reader.json('creators') as (string | null)[])
      topics.replace(reader.json('topics') as (string | null)[])
      locales.replace(reader.json('locales') as (string | null)[])
      const loaded = reader.i32('creator')
      grow(loaded.length)
      creator.set(loaded)
      locale.set(reader.i32('locale'))
      createdAtMs.set(reader.f64('createdAtMs'))
      topicCount.set(reader.u8('topicCount'))
      topic.set(reader.i32('topic'))
      for (let row = 0; row < loaded.length; row++) {
        creators.use(creator[row] ?? -1)
        locales.use(locale[row] ?? anyLocale)
        for (let i = 0; i < topicCount[row]!; i++) topics.use(topic[row * maxTopicsPerPin + i] ?? -1)
      }
    },
  }
}
