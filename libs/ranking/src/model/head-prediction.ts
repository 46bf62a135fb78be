import { z } from 'zod'
import { fitIsotonic, isotonicProbabilities } from '../calibration/isotonic.ts'
import { fitPlatt, plattProbabilities } from '../calibration/platt.ts'
import type { LabelledScores } from '../metrics/labelled.ts'
import type { PlanHead } from '../plan/plan.ts'

const plattState = z.strictObject({ slope: z.number(), intercept: z.number() })
const isotonicState = z.strictObject({ scores: z.array(z.number()).min(1), probabilities: z.array(z.number()).min(1) })

/** The name of a head's calibration among the fitted statistics of a model. */
export function calibrationName(head: string): string {
  return `head:${head}`
}

/** With fewer rows of a class, a calibration says more about its smoothing than about the head. */
const leastOfClass = 10

/**
 * Fits the calibration that the head asks for to values of rows that training did not see; null: it asks for none, or there are
 * too few rows of one class.
 */
export function fitCalibration({ kind, calibrate }: PlanHead, sample: LabelledScores): unknown {
  if (kind === 'amount' || calibrate === 'none') return null
  const positives = sample.labels.filter((label) => label > 0).length
  if (Math.min(positives, sample.labels.length - positives) < leastOfClass) return null
  if (calibrate === 'platt') return fitPlatt(sample)
  const { scores, probabilities } = fitIsotonic(sample)
  return { scores: [...scores], probabilities: [...probabilities] }
}

/**
 * Predictions from values of a head (logits, or ln(1 + amount)): probabilities, by the fitted calibration if there is one, or
 * amounts of at least 0.
 */
export function predictHead({ kind, calibrate }: PlanHead, calibration: unknown, values: Float64Array): Float64Array {
  if (kind === 'amount') return values.map((value) => Math.max(0, Math.expm1(value)))
  if (calibration === undefined || calibration === null || calibrate === 'none')
    return values.map((value) => 1 / (1 + Math.exp(-value)))
  const out = new Float64Array(values.length)
  if (calibrate === 'platt') plattProbabilities(plattState.parse(calibration), values, out)
  else {
    const { scores, probabilities } = isotonicState.parse(calibration)
    isotonicProbabilities(
      { scores: Float64Array.from(scores), probabilities: Float64Array.from(probabilities) },
      values,
      out,
    )
  }
  return out
}
