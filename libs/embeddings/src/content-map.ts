import { clearColumn } from '@freshet/columns/clear-column'
import { hash32 } from '@freshet/domain/hash'
import type { Pin } from '@freshet/domain/pin'

import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/**
 * A linear map from what a pin is about to where its embedding will be, learned on pins that have one. A pin's features
 * are its topics, its creator and the words of its title and description, hashed into buckets; its place is the mean of
 * its buckets' vectors, and each training example moves these by the normalised delta rule (NLMS).
 */
export interface ContentMap {
  /** Stores the features of a pin, by row. */
  describe(row: number, pin: Pin): void
  forget(row: number): void
  isDescribed(row: number): boolean
  /** Moves the buckets of a described row towards its embedding, a unit vector. */
  learn(row: number, embedding: Float32Array): void
  /** Fills `into` with the unit vector of a described row; false if none of its buckets has been trained. */
  place(row: number, into: Float32Array): boolean
  bytes(limit: number): number
  save(writer: SectionWriter, limit: number): void
  load(reader: SectionReader): void
}

const buckets = 1 << 15
const maxFeatures = 24
const word = /[\p{L}\p{N}]+/gu

/** The buckets of a pin, each once, at most 24: topics and creator first, then words as they come. */
function hashBuckets(pin: Pin): readonly number[] {
  const found = new Set<number>()
  for (const topic of pin.topics) found.add(hash32(`topic ${topic}`) % buckets)
  if (pin.creatorId !== null) found.add(hash32(`creator ${pin.creatorId}`) % buckets)
  for (const [text] of `${pin.title} ${pin.description}`.toLowerCase().matchAll(word)) {
    if (found.size >= maxFeatures) break
    found.add(hash32(`word ${text}`) % buckets)
  }
  return [...found].slice(0, maxFeatures)
}

/** A map that has learned nothing, for embeddings of `dimensions`. `rate` from 0 to 1 is how far a training example goes. */
export function createContentMap(options: {
  readonly dimensions: number
  readonly maxPins: number
  readonly rate: number
}): ContentMap {
  const { dimensions, maxPins, rate } = options
  const features = new Uint16Array(maxPins * maxFeatures)
  const counts = new Uint8Array(maxPins)
  const vectors = new Float32Array(buckets * dimensions)
  const examples = new Uint32Array(buckets)
  const guess = new Float32Array(dimensions)

  // The mean of the row's bucket vectors; with `onlyTaught`, of the trained ones only.
  function mean(row: number, into: Float32Array, onlyTaught: boolean): number {
    into.fill(0)
    let used = 0
    for (let f = row * maxFeatures; f < row * maxFeatures + counts[row]!; f++) {
      const bucket = features[f]!
      if (onlyTaught && examples[bucket] === 0) continue
      used++
      const at = bucket * dimensions
      for (let i = 0; i < dimensions; i++) into[i] = into[i]! + vectors[at + i]!
    }
    for (let i = 0; i < dimensions; i++) into[i] = into[i]! / Math.max(1, used)
    return used
  }

  return {
    describe(row, pin) {
      const found = hashBuckets(pin)
      counts[row] = found.length
      features.set(found, row * maxFeatures)
    },
    forget(row) {
      counts[row] = 0
    },
    isDescribed: (row) => counts[row]! > 0,
    learn(row, embedding) {
      if (mean(row, guess, false) === 0) return
      for (let f = row * maxFeatures; f < row * maxFeatures + counts[row]!; f++) {
        const bucket = features[f]!
        const at = bucket * dimensions
        examples[bucket] = examples[bucket]! + 1
        for (let i = 0; i < dimensions; i++) {
          vectors[at + i] = vectors[at + i]! + rate * (embedding[i]! - guess[i]!)
        }
      }
    },
    place: (row, into) => mean(row, into, true) > 0 && normalise(into, 0, dimensions),
    bytes: (limit) => limit * (maxFeatures * 2 + 1) + vectors.byteLength + examples.byteLength,
    save(writer, limit) {
      writer.u8('counts', counts.subarray(0, limit))
      const rows = new Uint32Array(limit * maxFeatures)
      for (let i = 0; i < rows.length; i++) rows[i] = features[i]!
      writer.u32('features', rows)
      writer.f32('vectors', vectors)
      writer.u32('lessons', examples)
    },
    load(reader) {
      clearColumn(counts)
      counts.set(reader.u8('counts'))
      features.set(reader.u32('features'))
      vectors.set(reader.f32('vectors'))
      examples.set(reader.u32('lessons'))
    },
  }
}

/** Scales part of a column to length 1; false, and unchanged, where it is zero or not finite. */
export function normalise(column: Float32Array, start: number, length: number): boolean {
  let square = 0
  for (let i = start; i < start + length; i++) square += column[i]! ** 2
  if (!(square > 0) || !Number.isFinite(square)) return false
  const scale = 1 / Math.sqrt(square)
  for (let i = start; i < start + length; i++) column[i] = column[i]! * scale
  return true
}
