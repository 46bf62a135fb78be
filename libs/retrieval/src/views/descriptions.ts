import { orZero } from '@freshet/columns/or-zero'
import type { CreatorId, TopicId } from '@freshet/domain/ids'
import { anyLocale, createLocaleWords } from '@freshet/domain/locale-words'
import type { Pin } from '@freshet/domain/pin'

import { grownFloat64, grownInt32, grownUint32, grownUint8, nextCapacity } from '@freshet/columns/growth'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createRowLists, type RowLists } from './row-lists.ts'
import { createWords } from './words.ts'

const maxTopicsPerPin = 8
const endOfTime = 0xffffffff

/** The owner's descriptions of pins, for reading, by row. -1 means "none". */
export interface ReadDescriptions {
  creatorOf(row: number): number
  /** See `LocaleWords`. */
  localeOf(row: number): number
  /** When the pin was published, milliseconds since the epoch; NaN if unknown. */
  createdAtMsOf(row: number): number
  /** The rows of pins published at a time or later, milliseconds since the epoch; null if they are more than `most`. */
  createdSince(fromMs: number, most: number): Int32Array | null
  /** Whether the pin may be shown at a time, seconds since the epoch, as far as the owner says. */
  isAvailable(row: number, atSeconds: number): boolean
  /** The rows of pins by the number of a topic and of a creator. */
  readonly byTopic: Pick<RowLists, 'countOf' | 'rowsOf'>
  readonly byCreator: Pick<RowLists, 'countOf' | 'rowsOf'>
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
  // Seconds since the epoch. Without a limit: 0 and the largest number.
  let availableFrom = new Uint32Array(0)
  let expiresAt = new Uint32Array(0)
  let topicCount = new Uint8Array(0)
  let topic = new Int32Array(0)

  const byCreator = createRowLists((word, row) => creator[row] === word)
  const byTopic = createRowLists((word, row) => {
    for (let i = 0; i < topicCount[row]!; i++) if (topic[row * maxTopicsPerPin + i] === word) return true
    return false
  })

  /** Adds a described row to the lists of its words. */
  function list(row: number): void {
    if (creator[row]! >= 0) byCreator.add(creator[row]!, row)
    for (let i = 0; i < topicCount[row]!; i++) byTopic.add(topic[row * maxTopicsPerPin + i]!, row)
  }

  function blank(row: number): void {
    creator[row] = -1
    locale[row] = anyLocale
    createdAtMs[row] = NaN
    availableFrom[row] = 0
    expiresAt[row] = endOfTime
    topicCount[row] = 0
  }

  function clear(row: number): void {
    const count = topicCount[row]!
    const oldCreator = creator[row] ?? -1
    const oldLocale = locale[row] ?? anyLocale
    // The lists ask which words a row has when they clean themselves.
    blank(row)
    creators.drop(oldCreator)
    if (oldCreator >= 0) byCreator.drop(oldCreator)
    locales.drop(oldLocale)
    for (let i = 0; i < count; i++) {
      const word = topic[row * maxTopicsPerPin + i] ?? -1
      topics.drop(word)
      byTopic.drop(word)
    }
  }

  function grow(size: number): void {
    const from = creator.length
    if (size <= from) return
    const capacity = nextCapacity(from, size)
    creator = grownInt32(creator, capacity)
    locale = grownInt32(locale, capacity)
    createdAtMs = grownFloat64(createdAtMs, capacity)
    availableFrom = grownUint32(availableFrom, capacity)
    expiresAt = grownUint32(expiresAt, capacity)
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
      availableFrom[row] = pin.availableFromMs === null ? 0 : toSeconds(pin.availableFromMs, Math.ceil)
      expiresAt[row] = pin.expiresAtMs === null ? endOfTime : toSeconds(pin.expiresAtMs, Math.floor)
      list(row)
      const hasCreator = pin.creatorId === null || newCreator >= 0
      return hasCreator && newTopics.length === given.length && locales.refused === refusedLocales
    },
    clear,
    creatorOf: (row) => creator[row] ?? -1,
    localeOf: (row) => locale[row] ?? anyLocale,
    createdAtMsOf: (row) => createdAtMs[row] ?? NaN,
    createdSince: (fromMs, most) => rowsFrom(createdAtMs, fromMs, most),
    isAvailable: (row, atSeconds) =>
      orZero(availableFrom[row]) <= atSeconds && (expiresAt[row] ?? endOfTime) > atSeconds,
    byTopic,
    byCreator,
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
      const columns = creator.byteLength + locale.byteLength + createdAtMs.byteLength + 2 * expiresAt.byteLength
      const lists = byTopic.bytes() + byCreator.bytes()
      return (
        columns + lists + topicCount.byteLength + topic.byteLength + creators.bytes() + topics.bytes() + locales.bytes()
      )
    },
    save(writer, size) {
      writer.json('creators', creators.all())
      writer.json('topics', topics.all())
      writer.json('locales', locales.tags())
      writer.i32('creator', creator.subarray(0, size))
      writer.i32('locale', locale.subarray(0, size))
      writer.f64('createdAtMs', createdAtMs.subarray(0, size))
      writer.u32('availableFrom', availableFrom.subarray(0, size))
      writer.u32('expiresAt', expiresAt.subarray(0, size))
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
      availableFrom.set(reader.u32('availableFrom'))
      expiresAt.set(reader.u32('expiresAt'))
      topicCount.set(reader.u8('topicCount'))
      topic.set(reader.i32('topic'))
      byTopic.clear()
      byCreator.clear()
      for (let row = 0; row < loaded.length; row++) {
        list(row)
        creators.use(creator[row] ?? -1)
        locales.use(locale[row] ?? anyLocale)
        for (let i = 0; i < topicCount[row]!; i++) topics.use(topic[row * maxTopicsPerPin + i] ?? -1)
      }
    },
  }
}

/** The rows whose value is at least `least`. One pass over a column of a million takes about a millisecond. */
function rowsFrom(column: Float64Array, least: number, most: number): Int32Array | null {
  const rows = new Int32Array(most)
  let count = 0
  for (let row = 0; row < column.length; row++) {
    if (!(column[row]! >= least)) continue
    if (count === most) return null
    rows[count++] = row
  }
  return rows.subarray(0, count)
}

/** Seconds since the epoch that fit 32 bits. */
function toSeconds(timeMs: number, round: (value: number) => number): number {
  return Math.min(endOfTime, Math.max(0, round(timeMs / 1000)))
}
