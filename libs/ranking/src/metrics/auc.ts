import { checkLabelled, rowsByScore, type LabelledScores } from './labelled.ts'

/**
 * Area under the ROC curve: the probability that a positive row has a higher score than a negative one, where equal
 * scores count half (midranks; Hanley & McNeil 1982). Rows count by weight. Null if one class has no weight.
 */
export function areaUnderCurve(sample: LabelledScores): number | null {
  checkLabelled(sample)
  const { scores, labels, weights } = sample
  const rows = rowsByScore(scores)
  let [above, positives, negatives] = [0, 0, 0]
  for (let from = 0; from < rows.length;) {
    const score = scores[rows[from]!]!
    let [tiedPositives, tiedNegatives] = [0, 0]
    for (; from < rows.length && scores[rows[from]!] === score; from++) {
      const row = rows[from]!
      const weight = weights === undefined ? 1 : weights[row]!
      tiedPositives += weight * labels[row]!
      tiedNegatives += weight * (1 - labels[row]!)
    }
    above += tiedPositives * (negatives + tiedNegatives / 2)
    positives += tiedPositives
    negatives += tiedNegatives
  }
  return positives > 0 && negatives > 0 ? above / (positives * negatives) : null
}
