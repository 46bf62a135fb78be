import { float32Column } from '@freshet/contracts/bytes/columns'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isContractError } from '@freshet/contracts/errors'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import { createKeyTable } from '@freshet/columns/key-table'
import { hash32 } from '@freshet/domain/hash'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import { createProjection, signClass, type Projection } from '@freshet/ordering/projection'

/** The topics from which the vectors are folded. */
export const vectorTopics = ['pins.v1', 'pin-embeddings.v1'] as const satisfies readonly TopicName[]

/** The kinds of embeddings, in the order of their blocks: the learned one and that of the picture. */
export const embeddingKinds = ['learned', 'visual'] as const
const [learned, visual] = [0, 1] as const

/** Numbers in the block of an embedding. */
export const blockWidth = 24
const rowWidth = embeddingKinds.length * blockWidth
const clusterBits = 7

/**
 * Small vectors of pins, which tell the ordering what is alike: the learned and the visual embedding, each projected to 24 numbers
 * of one byte. A pin takes about 90 bytes.
 */
export interface PinVectors {
  /** Folds a batch and skips records that it has folded before. */
  fold(batch: LogBatch): void
  /** The row of a pin; −1: it has no vector. */
  rowOf(high: number, low: number): number
  /** Whether a pin has an embedding that is comparable with those of other pins. */
  hasBlock(row: number, kind: number): boolean
  /** Writes the block of an embedding with length 1. Writes nothing if the pin has none, or one that is not comparable. */
  readBlock(row: number, kind: number, into: Float32Array, at: number): void
  /** A number that pins with similar vectors share; 0: not known. */
  clusterOf(row: number): number
  readonly progress: LogProgress
  stats(): { readonly vectors: number; readonly refused: number; readonly bytes: number }
}

/** Creates an empty view of at most `maxPins` pins; further ones are counted and have no vector. */
export function createPinVectors({ maxPins }: { readonly maxPins: number }): PinVectors {
  const progress = createLogProgress()
  const byKey = createKeyTable()
  const projections = new Map<number, Projection>()
  const freeRows: number[] = []
  let capacity = 1024
  let values = new Int8Array(capacity * rowWidth)
  // The vector space of each block, as a hash; 0: the pin has no such vector.
  let spaces = new Uint32Array(capacity * embeddingKinds.length)
  // Blocks of this space of a kind are comparable: the newest learned one, and that of most pictures.
  const comparableSpace = new Uint32Array(embeddingKinds.length)
  const picturesOf = new Map<number, number>()
  let rowLimit = 0
  let refused = 0

  function grow(): void {
    capacity *= 2
    const [oldValues, oldSpaces] = [values, spaces]
    values = new Int8Array(capacity * rowWidth)
    values.set(oldValues)
    spaces = new Uint32Array(capacity * embeddingKinds.length)
    spaces.set(oldSpaces)
  }

  /** The row of a pin, a new one if it has none; −1: there is no room. */
  function intern(high: number, low: number): number {
    const known = byKey.get(high, low)
    if (known >= 0) return known
    if (byKey.size >= maxPins) {
      refused++
      return -1
    }
    const row = freeRows.pop() ?? rowLimit++
    if (row >= capacity) grow()
    byKey.set(high, low, row)
    return row
  }

  /** Sets or removes a block. A pin without blocks needs no row. */
  function set(pinId: string, kind: number, vector: Float32Array | null, space: number): void {
    const keys = pinKeysOf([pinId])
    const [high, low] = [keys.high[0]!, keys.low[0]!]
    const row = vector === null ? byKey.get(high, low) : intern(high, low)
    if (row < 0) return
    const at = row * rowWidth + kind * blockWidth
    if (vector === null) values.fill(0, at, at + blockWidth)
    else projectionOf(vector.length)(vector, values, at)
    const before = spaces[row * embeddingKinds.length + kind]!
    const after = vector === null ? 0 : space
    spaces[row * embeddingKinds.length + kind] = after
    if (kind === visual) countPicture(before, after)
    else if (after !== 0) comparableSpace[kind] = after
    if (embeddingKinds.every((_, other) => spaces[row * embeddingKinds.length + other] === 0)) {
      byKey.delete(high, low)
      freeRows.push(row)
    }
  }

  /** Notes that a picture moved from one space to another; 0: none. One picture of another width must not make all others incomparable. */
  function countPicture(before: number, after: number): void {
    if (before === after) return
    const count = (space: number): number => picturesOf.get(space) ?? 0
    if (before !== 0) picturesOf.set(before, count(before) - 1)
    if (count(before) === 0) picturesOf.delete(before)
    if (after !== 0) picturesOf.set(after, count(after) + 1)
    const candidates = before !== 0 && before === comparableSpace[visual] ? picturesOf.keys() : [after]
    for (const space of candidates) if (count(space) > count(comparableSpace[visual]!)) comparableSpace[visual] = space
  }

  function projectionOf(width: number): Projection {
    let projection = projections.get(width)
    if (projection === undefined) {
      // Widths come from outside, so the memory for them is bounded.
      if (projections.size >= 8) projections.clear()
      projections.set(width, (projection = createProjection(width, blockWidth, 1)))
    }
    return projection
  }

  function foldPin(key: string, value: Uint8Array | null): void {
    const change = decodePinChange(key, value)
    if (change.kind === 'upsert') {
      const { pinId, visualEmbedding: vector } = change.pin
      set(pinId, visual, vector, vector === null ? 0 : (vector.length << 1) | 1)
      return
    }
    set(change.pinId, visual, null, 0)
    set(change.pinId, learned, null, 0)
  }

  function foldEmbedding(key: string, value: Uint8Array | null): void {
    if (value === null) return set(key, learned, null, 0)
    const { pinId, vector: bytes, space } = PinEmbedding.decode(value)
    const vector = float32Column(bytes)
    const isUsable = vector.length > 0 && vector.every(Number.isFinite) && vector.some((number) => number !== 0)
    // The lowest bit is set, so that a space is never 0.
    set(pinId, learned, isUsable ? vector : null, hash32(`${space}/${vector.length}`) | 1)
  }

  function isComparable(row: number, kind: number): boolean {
    const space = spaces[row * embeddingKinds.length + kind]!
    return space !== 0 && space === comparableSpace[kind]
  }

  return {
    fold({ topic, partition, records, next }) {
      if (topic !== 'pins.v1' && topic !== 'pin-embeddings.v1') return
      const done = progress.position(topic, partition) ?? 0
      for (const { position, key, value } of records) {
        if (position < done) continue
        try {
          if (topic === 'pins.v1') foldPin(key, value)
          else foldEmbedding(key, value)
        } catch (error) {
          // The facts count records of the catalogue that cannot be read. Without a vector a pin is ordered by its topics.
          if (topic !== 'pins.v1' || !isContractError(error)) refused++
        }
      }
      progress.advance(topic, partition, next)
    },
    rowOf: byKey.get,
    hasBlock: isComparable,
    readBlock(row, kind, into, at) {
      if (!isComparable(row, kind)) return
      const from = row * rowWidth + kind * blockWidth
      let squares = 0
      for (let i = from; i < from + blockWidth; i++) squares += values[i]! * values[i]!
      const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
      for (let i = 0; i < blockWidth; i++) into[at + i] = values[from + i]! * scale
    },
    clusterOf(row) {
      for (const kind of embeddingKinds.keys())
        if (isComparable(row, kind))
          return (signClass(values, row * rowWidth + kind * blockWidth, clusterBits) << 1) | kind
      return 0
    },
    progress,
    stats: () => ({
      vectors: byKey.size,
      refused,
      bytes: values.byteLength + spaces.byteLength + byKey.bytes(),
    }),
  }
}
