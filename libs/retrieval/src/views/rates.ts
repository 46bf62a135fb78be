import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { nextCapacity } from '@freshet/columns/growth'
import { createDecayedCounts, type DecayedCounts } from '@freshet/columns/decayed-counts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** From ten minutes to a week, milliseconds. */
export const rateHalfLivesMs: readonly number[] = [10 * minuteMs, hourMs, 6 * hourMs, dayMs, 7 * dayMs]

/** The weights before anything is learned: a day and a week count the same. */
const priorWeights = [0, 0, 0, 0.5, 0.5]
const priorLessons = 16
const mostRemembered = 512
const examplesBetweenUpdates = 16
const rounds = 20

/**
 * Each pin's share of what users take at several half-lives, each user once a pin, and how well each of these shares has predicted what
 * users took. News lives for hours, films for months, so the weights of the mixture are learned.
 */
export interface Rates {
  readonly counters: readonly DecayedCounts[]
  /** The weights of the mixture over half-lives; they sum to 1. */
  readonly weights: Float64Array
  /** Goes up with each change, so that what is computed from the shares can be kept. */
  readonly version: number
  fold(row: number, atMs: number): void
  /** Takes back an action that was folded. */
  take(row: number, atMs: number): void
  /** Forgets a pin. */
  forget(row: number): void
  /** The pin's share according to the mixture. */
  shareOf(row: number): number
  /** `shareOf` of the first `count` of `rows`, into the places of `into`. */
  readShares(rows: Int32Array, count: number, into: Float64Array): void
  /** Writes the shares of a pin that a user is about to take into `into`, as bits of float32. */
  examine(row: number, into: Int32Array): void
  /** Learns from such shares: expectation maximisation over the last 512 training examples, after every 16. */
  learn(shares: Int32Array): void
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Counters at zero. */
export function createRates(): Rates {
  const counters = rateHalfLivesMs.map(createDecayedCounts)
  const weights = Float64Array.from(priorWeights)
  const halfLives = weights.length
  let version = 0
  let examples = 0
  let column = new Float64Array(0)
  // The shares of the last training examples, the oldest overwritten first.
  const remembered = new Float32Array(mostRemembered * halfLives)

  function update(): void {
    version++
    const count = Math.min(examples, mostRemembered)
    for (let i = 0; i < halfLives; i++) weights[i] = 0.9 * priorWeights[i]! + 0.1 / halfLives
    const right = new Float64Array(halfLives)
    for (let round = 0; round < rounds; round++) {
      right.forEach((_, i) => (right[i] = priorLessons * priorWeights[i]!))
      for (let from = 0; from < count * halfLives; from += halfLives) {
        let likelihood = 0
        for (let i = 0; i < halfLives; i++) likelihood += weights[i]! * remembered[from + i]!
        for (let i = 0; i < halfLives; i++) right[i] = right[i]! + (weights[i]! * remembered[from + i]!) / likelihood
      }
      right.forEach((sum, i) => (weights[i] = sum / (count + priorLessons)))
    }
  }

  return {
    counters,
    weights,
    get version() {
      return version
    },
    fold(row, atMs) {
      version++
      for (const counter of counters) counter.add(row, atMs)
    },
    take(row, atMs) {
      version++
      for (const counter of counters) counter.take(row, atMs)
    },
    forget(row) {
      version++
      for (const counter of counters) counter.forget(row)
    },
    shareOf(row) {
      let share = 0
      for (let i = 0; i < counters.length; i++) {
        const weight = weights[i]!
        if (weight > 0) share += weight * (counters[i]?.shareOf(row) ?? 0)
      }
      return share
    },
    readShares(rows, count, into) {
      if (column.length < count) column = new Float64Array(nextCapacity(column.length, count))
      into.fill(0, 0, count)
      for (const [n, counter] of counters.entries()) {
        const weight = weights[n]!
        if (!(weight > 0)) continue
        counter.readShares(rows, count, column)
        for (let i = 0; i < count; i++) into[i] = into[i]! + weight * column[i]!
      }
    },
    examine(row, into) {
      const shares = new Float32Array(into.buffer, into.byteOffset, into.length)
      counters.forEach((counter, i) => (shares[i] = counter.shareOf(row)))
    },
    learn(bits) {
      const shares = new Float32Array(bits.buffer, bits.byteOffset, bits.length)
      // A pin that nobody has taken does not tell half-lives apart.
      if (!(shares.at(-1) > 0)) return
      remembered.set(shares, (examples++ % mostRemembered) * halfLives)
      if (examples % examplesBetweenUpdates === 0) update()
    },
    bytes: () => counters.reduce((sum, counter) => sum + counter.bytes(), weights.byteLength),
    save(writer) {
      counters.forEach((counter, i) => counter.save(writer.under(`${i}`)))
      writer.f64('weights', Float64Array.of(...weights, examples))
      writer.f32('remembered', remembered)
    },
    load(reader) {
      version++
      counters.forEach((counter, i) => counter.load(reader.under(`${i}`)))
      const learned = reader.f64('weights')
      weights.set(learned.subarray(0, weights.length))
      examples = learned[weights.length]!
      remembered.set(reader.f32('remembered'))
    },
  }
}
