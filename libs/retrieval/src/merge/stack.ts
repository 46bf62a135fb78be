import { solveSymmetric } from './solve-symmetric.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** Below this many examples nothing learned is used. */
export const fewestExamples = 32

/** Precision of what is believed before the first lesson: that a weight is 0, give or take 1 / √ of this. */
const priorPrecision = 10
/** Lessons count 1/e after this many more. */
const remembered = 1_000
/** Candidates less likely than this say nothing of how sure the weights are. */
const leastLikely = 1e-4

/** Candidates with their features, row after row, and the score that each begins with. */
export interface FeatureRows {
  readonly count: number
  readonly width: number
  readonly features: Float64Array
  /** Logarithm of the fixed part of a candidate's score. */
  readonly base: Float64Array
}

/**
 * A conditional logit over candidates, learned online: score = base + Σ weight · feature, P(taken) = softmax of the
 * scores. Each lesson gives a gradient and the curvature there; the weights take one Newton step along the curvature of
 * all lessons, older ones forgotten (an extended Kalman filter), so that a few hundred lessons are enough. A few thousand
 * numbers, whatever was learned from.
 */
export interface Stack {
  /** Numbers of a lesson. */
  readonly lessonWidth: number
  /** Whether enough was learned, and what was learned has been better than the base. */
  readonly isTrusted: boolean
  /** Puts the candidates' scores into `scores`. */
  score(rows: FeatureRows, scores: Float64Array): void
  /** What a lesson says by the weights now, as bits of float32; `taken`: the candidate that was, -1: none, and nothing is learned. */
  examine(rows: FeatureRows, taken: number, into: Int32Array): void
  /** Learns what `examine` gave, here or elsewhere. */
  learn(lesson: Int32Array): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** A stack over `width` features that has learned nothing: every score is the base. */
export function createStack(width: number): Stack {
  const weights = new Float64Array(width)
  const precision = new Float64Array(width * width)
  for (let j = 0; j < width; j++) precision[j * width + j] = priorPrecision
  const triangle = (width * (width + 1)) / 2
  const mean = new Float64Array(width)
  const likelyMean = new Float64Array(width)
  let scratch = new Float64Array(0)
  let examples = 0
  let baseReward = 0
  let stackReward = 0

  function score({ count, features, base }: FeatureRows, scores: Float64Array): void {
    for (let i = 0, at = 0; i < count; i++, at += width) {
      let sum = base[i]!
      for (let j = 0; j < width; j++) sum += weights[j]! * features[at + j]!
      scores[i] = sum
    }
  }

  /** Turns scores into probabilities. */
  function soften(scores: Float64Array, count: number): void {
    let most = -Infinity
    for (let i = 0; i < count; i++) most = Math.max(most, scores[i]!)
    let total = 0
    for (let i = 0; i < count; i++) total += scores[i] = Math.exp(scores[i]! - most)
    for (let i = 0; i < count; i++) scores[i] = scores[i]! / total
  }

  return {
    lessonWidth: width + triangle + 3,
    get isTrusted() {
      return examples >= fewestExamples && stackReward >= baseReward
    },
    score,
    examine(rows, taken, into) {
      const { count, features, base } = rows
      const numbers = new Float32Array(into.buffer, into.byteOffset, into.length)
      numbers.fill(0)
      if (taken < 0) return
      if (scratch.length < count) scratch = new Float64Array(2 * count)
      score(rows, scratch)
      const rewards = width + triangle
      numbers[rewards] = 1
      numbers[rewards + 1] = rewardOf(base, taken, count)
      numbers[rewards + 2] = rewardOf(scratch, taken, count)
      soften(scratch, count)
      mean.fill(0)
      likelyMean.fill(0)
      let likelyTotal = 0
      const curvature = new Float64Array(triangle)
      for (let i = 0, at = 0; i < count; i++, at += width) {
        const likely = scratch[i]!
        for (let j = 0; j < width; j++) mean[j] = mean[j]! + likely * features[at + j]!
        if (likely < leastLikely) continue
        likelyTotal += likely
        for (let j = 0, n = 0; j < width; j++) {
          const weighed = likely * features[at + j]!
          likelyMean[j] = likelyMean[j]! + weighed
          if (weighed === 0) n += j + 1
          else for (let k = 0; k <= j; k++, n++) curvature[n] = curvature[n]! + weighed * features[at + k]!
        }
      }
      for (let j = 0, n = 0; j < width; j++) {
        numbers[j] = features[taken * width + j]! - mean[j]!
        for (let k = 0; k <= j; k++, n++)
          numbers[width + n] = curvature[n]! - (likelyMean[j]! * likelyMean[k]!) / likelyTotal
      }
    },
    learn(lesson) {
      const numbers = new Float32Array(lesson.buffer, lesson.byteOffset, lesson.length)
      const rewards = width + triangle
      if (numbers[rewards] !== 1) return
      examples++
      const part = 1 / Math.min(examples, 500)
      baseReward += part * (numbers[rewards + 1]! - baseReward)
      stackReward += part * (numbers[rewards + 2]! - stackReward)
      const kept = 1 - 1 / remembered
      for (let j = 0, n = width; j < width; j++) {
        for (let k = 0; k <= j; k++, n++) {
          const prior = j === k ? priorPrecision * (1 - kept) : 0
          const value = kept * precision[j * width + k]! + numbers[n]! + prior
          precision[j * width + k] = value
          precision[k * width + j] = value
        }
      }
      const step = solveSymmetric(precision, numbers.subarray(0, width))
      for (let j = 0; j < width; j++) weights[j] = weights[j]! + step[j]!
    },
    save(writer) {
      writer.f64('weights', weights)
      writer.f64('precision', precision)
      writer.f64('rewards', Float64Array.of(examples, baseReward, stackReward))
    },
    load(reader) {
      weights.set(reader.f64('weights'))
      precision.set(reader.f64('precision'))
      const rewards = reader.f64('rewards')
      examples = rewards[0]!
      baseReward = rewards[1]!
      stackReward = rewards[2]!
    },
  }
}

/** What a ranking is worth: 1 / log₂(1 + rank) of what was taken. */
function rewardOf(scores: Float64Array, taken: number, count: number): number {
  const own = scores[taken]!
  let rank = 1
  for (let i = 0; i < count; i++) if (scores[i]! > own) rank++
  return 1 / Math.log2(1 + rank)
}
