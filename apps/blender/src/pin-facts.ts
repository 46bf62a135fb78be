import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { hash32 } from '@freshet/domain/hash'
import type { PinChange } from '@freshet/domain/pin'
import { pinKeysOf } from '@freshet/domain/pin-keys'

/** The topic that the facts fold. */
export const factTopic = 'pins.v1'

/** What filters have to know of pins: folded from the catalogue, in columns of about 60 bytes a pin. */
export interface PinFacts {
  /** Folds a batch; what was folded already is passed over. */
  fold(batch: LogBatch): void
  /** The row of a pin; −1: the catalogue has said nothing of it. */
  rowOf(high: number, low: number): number
  isDeleted(row: number): boolean
  /** `hash32` of the creator; 0: none given. */
  creatorOf(row: number): number
  /** Whether one of the pin's topics is among these `hash32`s. */
  hasTopicOf(row: number, topics: ReadonlySet<number>): boolean
  readonly progress: LogProgress
  stats(): { readonly pins: number; readonly refused: number; readonly rejected: number; readonly bytes: number }
}

const topicSlots = 4

/** Facts of no pins. Of pins beyond `maxPins` nothing is known; they are counted. */
export function createPinFacts({ maxPins }: { readonly maxPins: number }): PinFacts {
  const progress = createLogProgress()
  let capacity = 1024
  let high = new Uint32Array(capacity)
  let low = new Uint32Array(capacity)
  let creators = new Uint32Array(capacity)
  let topics = new Uint32Array(capacity * topicSlots)
  let deleted = new Uint8Array(capacity)
  // Row + 1; 0: free. Twice as many slots as rows.
  let table = new Int32Array(capacity * 2)
  const moreTopics = new Map<number, Uint32Array>()
  let size = 0
  let refused = 0
  let rejected = 0

  function slotOf(h: number, l: number): number {
    const mask = table.length - 1
    let slot = (h ^ l) & mask
    for (;;) {
      const row = (table[slot] as number) - 1
      if (row < 0 || (high[row] === h && low[row] === l)) return slot
      slot = (slot + 1) & mask
    }
  }

  function grow(): void {
    capacity *= 2
    high = grown(high, capacity)
    low = grown(low, capacity)
    creators = grown(creators, capacity)
    topics = grown(topics, capacity * topicSlots)
    const flags = new Uint8Array(capacity)
    flags.set(deleted)
    deleted = flags
    table = new Int32Array(capacity * 2)
    for (let row = 0; row < size; row++) table[slotOf(high[row] as number, low[row] as number)] = row + 1
  }

  function intern(pinId: string): number {
    const keys = pinKeysOf([pinId])
    const h = keys.high[0] as number
    const l = keys.low[0] as number
    let slot = slotOf(h, l)
    const known = (table[slot] as number) - 1
    if (known >= 0) return known
    if (size >= maxPins) {
      refused++
      return -1
    }
    if (size === capacity) {
      grow()
      slot = slotOf(h, l)
    }
    high[size] = h
    low[size] = l
    table[slot] = ++size
    return size - 1
  }

  function apply(change: PinChange): void {
    const row = intern(change.kind === 'upsert' ? change.pin.pinId : change.pinId)
    if (row < 0) return
    deleted[row] = change.kind === 'delete' ? 1 : 0
    if (change.kind === 'delete') return
    const { creatorId, topics: given } = change.pin
    creators[row] = creatorId === null ? 0 : hash32(creatorId)
    for (let i = 0; i < topicSlots; i++) {
      const topic = given[i]
      topics[row * topicSlots + i] = topic === undefined ? 0 : hash32(topic)
    }
    if (given.length > topicSlots)
      moreTopics.set(
        row,
        Uint32Array.from(given.slice(topicSlots), (topic) => hash32(topic)),
      )
    else moreTopics.delete(row)
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
    rowOf: (h, l) => (table[slotOf(h >>> 0, l >>> 0)] as number) - 1,
    isDeleted: (row) => deleted[row] === 1,
    creatorOf: (row) => creators[row] ?? 0,
    hasTopicOf(row, wanted) {
      for (let i = 0; i < topicSlots; i++) if (wanted.has(topics[row * topicSlots + i] as number)) return true
      return moreTopics.get(row)?.some((topic) => wanted.has(topic)) ?? false
    },
    progress,
    stats: () => ({
      pins: size,
      refused,
      rejected,
      bytes: capacity * (4 + 4 + 4 + 4 * topicSlots + 1 + 8),
    }),
  }
}

function grown(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(length)
  longer.set(column)
  return longer
}
