/** Turns raw scores into outputs, in place. */
export type ForestOutput = (scores: Float64Array) => void

const identity: ForestOutput = () => {}
const each =
  (formula: (score: number) => number): ForestOutput =>
  (scores) => {
    for (let row = 0; row < scores.length; row++) scores[row] = formula(scores[row]!)
  }
const exponential = each(Math.exp)

const outputs: Readonly<Record<string, ForestOutput>> = {
  regression: identity,
  regression_l1: identity,
  huber: identity,
  fair: identity,
  quantile: identity,
  mape: identity,
  lambdarank: identity,
  rank_xendcg: identity,
  poisson: exponential,
  gamma: exponential,
  tweedie: exponential,
  cross_entropy: each((score) => 1 / (1 + Math.exp(-score))),
  cross_entropy_lambda: each((score) => Math.log1p(Math.exp(score))),
}

/**
 * The transformation that an objective of LightGBM applies to the raw score s (`ConvertOutput` in src/objective):
 * binary 1 / (1 + e^−sigmoid·s) · cross_entropy 1 / (1 + e^−s) · cross_entropy_lambda ln(1 + e^s) · poisson, gamma and
 * tweedie e^s · regression with `sqrt` sign(s)·s² · other regressions and rankings s. Null: not supported.
 */
export function outputOf(objective: string): ForestOutput | null {
  const [name = '', ...settings] = objective.split(' ').filter((word) => word !== '')
  if (name === '') return identity
  if (name === 'binary') return binaryOutput(settings)
  if (name === 'regression' && settings.includes('sqrt')) return each((score) => Math.sign(score) * score * score)
  return Object.hasOwn(outputs, name) ? outputs[name]! : null
}

function binaryOutput(settings: readonly string[]): ForestOutput | null {
  const sigmoid = Number(settings.find((word) => word.startsWith('sigmoid:'))?.slice('sigmoid:'.length) ?? 1)
  return sigmoid > 0 ? each((score) => 1 / (1 + Math.exp(-sigmoid * score))) : null
}
