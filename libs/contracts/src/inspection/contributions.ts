import { float64Column } from '../bytes/columns.ts'
import type { ExplainedPin, ExplainFeedResponse } from '../gen/freshet/blending/v1/blending.ts'
import type { AttributeResponse } from '../gen/freshet/ranking/v1/ranking.ts'

/** Adds to an explanation what each feature contributed, for the pins of the request in their order. */
export function withContributions(answer: ExplainFeedResponse, attribution: AttributeResponse): ExplainFeedResponse {
  const { method, problem } = attribution
  if (problem !== '') return { ...answer, contributionProblem: problem }
  return {
    ...answer,
    contributionMethod: method,
    contributionProblem: '',
    pins: answer.pins.map((pin, row) => ({
      ...pin,
      heads: headsOf(pin, row, attribution),
      features: featuresOf(pin, row, attribution),
    })),
  }
}

function headsOf({ heads }: ExplainedPin, row: number, attribution: AttributeResponse): ExplainedPin['heads'] {
  const { heads: names, featureNames } = attribution
  const [bases, scores] = [float64Column(attribution.bases), float64Column(attribution.scores)]
  const [parts, contributions] = [float64Column(attribution.utilityParts), float64Column(attribution.contributions)]
  return heads.map((head) => {
    const place = names.indexOf(head.head)
    if (place === -1) return head
    const at = row * names.length + place
    const [base = NaN, score = NaN] = [bases[at], scores[at]]
    const own = contributions.subarray(at * featureNames.length, (at + 1) * featureNames.length)
    const explained = own.reduce((sum, each) => sum + each, base)
    return { ...head, utilityPart: parts[at] ?? NaN, base, score, rest: score - explained }
  })
}

/** The features with their contributions, the largest contribution to the utility first. */
function featuresOf({ features }: ExplainedPin, row: number, attribution: AttributeResponse): ExplainedPin['features'] {
  const { heads, featureNames } = attribution
  const [contributions, utilities] = [
    float64Column(attribution.contributions),
    float64Column(attribution.utilityContributions),
  ]
  const values = new Map(features.map(({ name, value }) => [name, value]))
  const known = featureNames.map((name, place) => ({
    name,
    value: values.get(name) ?? NaN,
    utilityContribution: utilities[row * featureNames.length + place] ?? NaN,
    headContributions: heads.map((head, at) => ({
      name: head,
      value: contributions[(row * heads.length + at) * featureNames.length + place] ?? NaN,
    })),
  }))
  const others = features.filter(({ name }) => !featureNames.includes(name))
  return [...known.sort((a, b) => Math.abs(b.utilityContribution) - Math.abs(a.utilityContribution)), ...others]
}
