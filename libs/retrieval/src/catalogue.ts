import { hash32 } from '@freshet/domain/hash'
import type { CreatorId, PinId, TopicId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { writePinKey } from '@freshet/domain/pin-keys'

import { grownFloat64, grownInt32, grownUint8, grownUint32, nextCapacity } from './columns.ts'
import type { SectionReader, SectionWriter } from './snapshot.ts'

const maxTopicsPerPin = 8

/** The pins in columns, by row number. A row is given once and never to another pin. -1 stands for "none" everywhere. */
export interface Catalogue {
  /** Rows given so far. */
  readonly size: number
  /** Pins not added because `maxPins` was reached. */
  readonly refused: number
  /** The row of a pin, a new one where it is not known yet; -1 when the catalogue is full. */
  intern(pinId: PinId): number
  /** The row of a known pin, else -1. */
  rowOf(pinId: string): number
  pinIdOf(row: number): PinId
  /** Takes over what the catalogue's owner says about a pin, and its row; -1 when the catalogue is full. */
  upsert(pin: Pin): number
  /** Marks a pin as deleted, and gives its row; -1 where it was never known. */
  remove(pinId: PinId): number
  isAlive(row: number): boolean
  /** Seeded hash of the pin id: the smaller one comes first where scores are equal. */
  tieOf(row: number): number
  /** `hash32` of the pin id, by which users' states know pins. */
  hashOf(row: number): number
  /** The lower half of the pin's key, by which served sets know pins. */
  keyOf(row: number): number
  /** Whether row `a` comes before row `b` where their scores are equal. Total. */
  before(a: number, b: number): boolean
  creatorOf(row: number): number
  localeOf(row: number): number
  /** When the pin was published, milliseconds; NaN where nobody said. */
  createdAtMsOf(row: number): number
  topicCountOf(row: number): number
  topicOf(row: number, index: number): number
  /** Numbers of the words pins are described with; -1 for one that no pin has. */
  creatorRow(creatorId: string): number
  topicRow(topicId: string): number
  localeRow(locale: string): number
  creatorIdOf(creator: number): CreatorId
  topicIdOf(topic: number): TopicId
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** An empty catalogue of at most `maxPins` pins; `seed` sets the order of ties. */
export function createCatalogue({ maxPins, seed }: { readonly maxPins: number; readonly seed: number }): Catalogue {
  let rows = new Map<string, number>()
  let pinIds: PinId[] = []
  const creators = createWords()
  const topics = createWords()
  const locales = createWords()
  let refused = 0
  let idCharacters = 0
  let alive = new Uint8Array(0)
  let tie = new Uint32Array(0)
  let hash = new Uint32Array(0)
  let key = new Uint32Array(0)
  const keyHigh = new Uint32Array(1)
  const keyLow = new Uint32Array(1)
  let creator = new Int32Array(0)
  let locale = new Int32Array(0)
  let createdAtMs = new Float64Array(0)
  let topicCount = new Uint8Array(0)
  let topic = new Int32Array(0)

  function grow(needed: number): void {
    if (needed <= alive.length) return
    const capacity = Math.max(needed, Math.min(maxPins, nextCapacity(alive.length, needed)))
    alive = grownUint8(alive, capacity)
    tie = grownUint32(tie, capacity)
    hash = grownUint32(hash, capacity)
    key = grownUint32(key, capacity)
    creator = grownInt32(creator, capacity)
    locale = grownInt32(locale, capacity)
    createdAtMs = grownFloat64(createdAtMs, capacity)
    topicCount = grownUint8(topicCount, capacity)
    topic = grownInt32(topic, capacity * maxTopicsPerPin)
  }

  function intern(pinId: PinId): number {
    const known = rows.get(pinId)
    if (known !== undefined) return known
    if (pinIds.length >= maxPins) {
      refused++
      return -1
    }
    const row = pinIds.length
    grow(row + 1)
    rows.set(pinId, row)
    pinIds.push(pinId)
    idCharacters += pinId.length
    alive[row] = 1
    tie[row] = hash32(pinId, seed)
    hash[row] = hash32(pinId)
    writePinKey(pinId, keyHigh, keyLow, 0)
    key[row] = keyLow[0] ?? 0
    creator[row] = -1
    locale[row] = -1
    createdAtMs[row] = NaN
    topicCount[row] = 0
    return row
  }

  return {
    get size() {
      return pinIds.length
    },
    get refused() {
      return refused
    },
    intern,
    rowOf: (pinId) => rows.get(pinId) ?? -1,
    pinIdOf: (row) => pinIds[row] as PinId,
    upsert(pin) {
      const row = intern(pin.pinId)
      if (row < 0) return row
      alive[row] = 1
      creator[row] = pin.creatorId === null ? -1 : creators.intern(pin.creatorId)
      locale[row] = pin.locale === null ? -1 : locales.intern(pin.locale)
      createdAtMs[row] = pin.createdAtMs ?? NaN
      const count = Math.min(maxTopicsPerPin, pin.topics.length)
      topicCount[row] = count
      for (let i = 0; i < count; i++) topic[row * maxTopicsPerPin + i] = topics.intern(pin.topics[i] ?? '')
      return row
    },
    remove(pinId) {
      const row = rows.get(pinId) ?? -1
      if (row >= 0) alive[row] = 0
      return row
    },
    isAlive: (row) => alive[row] === 1,
    tieOf: (row) => tie[row] ?? 0,
    hashOf: (row) => hash[row] ?? 0,
    keyOf: (row) => key[row] ?? 0,
    before(a, b) {
      const first = tie[a] ?? 0
      const second = tie[b] ?? 0
      return first < second || (first === second && (pinIds[a] ?? '') < (pinIds[b] ?? ''))
    },
    creatorOf: (row) => creator[row] ?? -1,
    localeOf: (row) => locale[row] ?? -1,
    createdAtMsOf: (row) => createdAtMs[row] ?? NaN,
    topicCountOf: (row) => topicCount[row] ?? 0,
    topicOf: (row, index) => topic[row * maxTopicsPerPin + index] ?? -1,
    creatorRow: creators.rowOf,
    topicRow: topics.rowOf,
    localeRow: locales.rowOf,
    creatorIdOf: (row) => creators.wordOf(row) as CreatorId,
    topicIdOf: (row) => topics.wordOf(row) as TopicId,
    bytes() {
      const columns =
        alive.byteLength + tie.byteLength * 3 + creator.byteLength + locale.byteLength + createdAtMs.byteLength
      // A map entry with its string: about 48 bytes beside the characters.
      const ids = pinIds.length * 56 + idCharacters
      return (
        columns + topicCount.byteLength + topic.byteLength + ids + creators.bytes() + topics.bytes() + locales.bytes()
      )
    },
    save(writer) {
      const size = pinIds.length
      writer.json('pinIds', pinIds)
      writer.json('creators', creators.words())
      writer.json('topics', topics.words())
      writer.json('locales', locales.words())
      writer.u8('alive', alive.subarray(0, size))
      writer.i32('creator', creator.subarray(0, size))
      writer.i32('locale', locale.subarray(0, size))
      writer.f64('createdAtMs', createdAtMs.subarray(0, size))
      writer.u8('topicCount', topicCount.subarray(0, size))
      writer.i32('topic', topic.subarray(0, size * maxTopicsPerPin))
    },
    load(reader) {
      rows = new Map()
      pinIds = []
      idCharacters = 0
      refused = 0
      for (const pinId of reader.json('pinIds') as PinId[]) intern(pinId)
      creators.replace(reader.json('creators') as string[])
      topics.replace(reader.json('topics') as string[])
      locales.replace(reader.json('locales') as string[])
      alive.set(reader.u8('alive'))
      creator.set(reader.i32('creator'))
      locale.set(reader.i32('locale'))
      createdAtMs.set(reader.f64('createdAtMs'))
      topicCount.set(reader.u8('topicCount'))
      topic.set(reader.i32('topic'))
    },
  }
}

interface Words {
  intern(word: string): number
  rowOf(word: string): number
  wordOf(row: number): string
  words(): readonly string[]
  replace(words: readonly string[]): void
  bytes(): number
}

function createWords(): Words {
  let rows = new Map<string, number>()
  let list: string[] = []
  const intern = (word: string): number => {
    const known = rows.get(word)
    if (known !== undefined) return known
    rows.set(word, list.length)
    return list.push(word) - 1
  }
  return {
    intern,
    rowOf: (word) => rows.get(word) ?? -1,
    wordOf: (row) => list[row] ?? '',
    words: () => list,
    replace(words) {
      rows = new Map()
      list = []
      for (const word of words) intern(word)
    },
    bytes: () => list.reduce((sum, word) => sum + 56 + word.length, 0),
  }
}
