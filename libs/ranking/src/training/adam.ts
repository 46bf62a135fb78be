const firstDecay = 0.9
const secondDecay = 0.999
const epsilon = 1e-8

/** Adam's memory of one weight. */
export interface AdamState {
  readonly first: Float32Array
  readonly second: Float32Array
}

export function createAdamState(size: number): AdamState {
  return { first: new Float32Array(size), second: new Float32Array(size) }
}

/** A step of gradient descent. */
export interface AdamStep {
  readonly rate: number
  /** L2 penalty: l2/2 · Σ w². */
  readonly l2: number
  /** Number of this step, from 1. */
  readonly step: number
}

/**
 * Updates weights `from … from + gradient.length` in place (Kingma & Ba 2015, Algorithm 1):
 * m = .9m + .1g, v = .999v + .001g², w −= rate · m̂ / (√v̂ + 1e-8). Rows of a table that a batch does not touch keep their
 * memory as it is ("lazy Adam").
 */
export function adam(
  weights: Float32Array,
  gradient: Float32Array,
  { first, second }: AdamState,
  { rate, l2, step, from }: AdamStep & { readonly from: number },
): void {
  const unbias = Math.sqrt(1 - secondDecay ** step)
  const scaled = (rate * unbias) / (1 - firstDecay ** step)
  const floor = epsilon * unbias
  for (let at = 0, to = from; at < gradient.length; at++, to++) {
    const g = gradient[at]! + l2 * weights[to]!
    const m = firstDecay * first[to]! + (1 - firstDecay) * g
    const v = secondDecay * second[to]! + (1 - secondDecay) * g * g
    first[to] = m
    second[to] = v
    weights[to]! -= (scaled * m) / (Math.sqrt(v) + floor)
  }
}
