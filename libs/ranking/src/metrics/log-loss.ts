import { checkLabelled, type LabelledScores } from './labelled.ts'

/** Probabilities are clipped to [1e-7, 1 − 1e-7], so that one sure and wrong row does not decide the mean. */
const clip = 1e-7

/** Mean log loss in nats, by weight: −Σ w·(y·ln p + (1 − y)·ln(1 − p)) / Σ w. The scores are probabilities. */
export function logLoss(sample: LabelledScores): number {
  checkLabelled(sample)
  const { scores, labels, weights } = sample
  let [loss, total] = [0, 0]
  for (let row = 0; row < scores.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!
    const p = Math.min(1 - clip, Math.max(clip, scores[row]!))
    const y = labels[row]!
    loss -= weight * (y * Math.log(p) + (1 - y) * Math.log(1 - p))
    total += weight
  }
  return loss / total
}
