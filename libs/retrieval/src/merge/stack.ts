import { solveSymmetric } from './solve-symmetric.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** Below this many examples nothing learned is used. */
export const fewestExamples = 32

/** Precision of the prior of each weight: mean 0, standard deviation 1 / √ of this. */
const priorPrecision = 10
/** A training example counts 1/e after this many later ones. */
const remembered = 1_000
/** Candidates less likely than this do not contribute to the curvature. */
const leastLikely = 1e-4

/** Candidates with their features, row after row, and the base score of each. */
export interface FeatureRows {
  readonly count: number
  readonly width: number
  readonly features: Float64Array
  /** Logarithm of the fixed part of a candidate's score. */
  readonly base: Float64Array
}

/**
 * A conditional logit over candidates, learned online: score = base + Σ weight · feature, P(taken) = softmax of the
 * scores. Each training example gives a gradient and a curvature; the weights take one Newton step along the curvature of
 * all examples, with older ones forgotten (an extended Kalman filter), so a few hundred examples are enough. The state is
 * a few thousand numbers, however many examples there were.
 */
export interface Stack {
  /** The number of values that encode a training example. */
  readonly exampleWidth: number
  /** Whether the stack has learned from enough examples and its ranking has been better than the base. */
  readonly isTrusted: boolean
  /** The weight of each feature. */
  readonly weights: Float64Array
  /** Puts the candidates' scores into `scores`. */
  score(rows: FeatureRows, scores: Float64Array): void
  /** Encodes gradient and curvature at the current weights, as bits of float32. `taken`: the candidate that the user took; -1: none, which teaches nothing. */
  examine(rows: FeatureRows, taken: number, into: Int32Array): void
  /** Learns from what `examine` wrote, in this process or another. */
  learn(example: Int32Array): void
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
  const places = new Int32Array(width)
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
    exampleWidth: width + triangle + 3,
    get isTrusted() {
      return examples >= fewestExamples && stackReward >= baseReward
    },
    weights,
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
      numbers[rewards + 1] = computeReward(base, taken, count)
      numbers[rewards + 2] = computeReward(scratch, taken, count)
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
        // Most features are 0: a source finds few of the candidates.
        let present = 0
        for (let j = 0; j < width; j++) if (features[at + j] !== 0) places[present++] = j
        for (let a = 0; a < present; a++) {
          const j = places[a]!
          const weighed = likely * features[at + j]!
          likelyMean[j] = likelyMean[j]! + weighed
          const row = (j * (j + 1)) / 2
          for (let b = 0; b <= a; b++) {
            const k = places[b]!
            curvature[row + k] = curvature[row + k]! + weighed * features[at + k]!
          }
        }
      }
      for (let j = 0, n = 0; j < width; j++) {
        numbers[j] = features[taken * width + j]! - mean[j]!
        for (let k = 0; k <= j; k++, n++)
          numbers[width + n] = curvature[n]! - (likelyMean[j]! * likelyMean[k]!) / likelyTotal
      }
    },
    learn(example) {
      const numbers = new Float32Array(example.buffer, example.byteOffset, example.length)
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

/** The gain of a ranking: 1 / log₂(1 + rank) of the taken candidate. */
function computeReward(scores: Float64Array, taken: number, count: number): number {
  const own = scores[taken]!
  let rank = 1
  for (let i = 0; i < count; i++) if (scores[i]! > own) rank++
  return 1 / Math.log2(1 + rank)
}
