/** Step of the quadrature in the logarithm of time, and its most steps. */
const step = 0.2
const maxSteps = 1_000
const negligible = 1e-12

/**
 * The probability of each pick at its place, whatever is above it, when an order is drawn by Gumbel top-k without a rule. `worths`: utility ÷
 * temperature of every candidate; `picks`: the candidates of the first places, in order.
 *
 * The draw is a race of exponential clocks with rates exp(worth): a candidate is at place i if it rings when i others have. So the
 * probability is `∫ rate · e^(−rate·t) · P(i of the others have rung by t) dt`, with a Poisson binomial inside. The trapezoidal rule in log t
 * converges exponentially; the others of every pick are counted by divide and conquer.
 */
export function positionPropensities(worths: Float64Array, picks: Uint16Array): Float64Array {
  const count = picks.length
  const result = new Float64Array(count)
  if (count === 0) return result
  const top = worths.reduce((most, worth) => Math.max(most, worth), -Infinity)
  const rates = worths.map((worth) => Math.exp(worth - top))
  const total = rates.reduce((sum, rate) => sum + rate, 0)
  const isPicked = new Uint8Array(worths.length)
  for (const pick of picks) isPicked[pick] = 1
  let logTime = Math.log(negligible / total)
  for (let n = 0; n < maxSteps; n++, logTime += step) {
    const time = Math.exp(logTime)
    const rung = new Float64Array(count)
    rung[0] = 1
    for (let at = 0; at < rates.length; at++) if (isPicked[at] === 0) add(rung, 1 - Math.exp(-rates[at]! * time))
    const picked = Float64Array.from(picks, (pick) => rates[pick]! * time)
    addIntegrand({ picked, result }, { from: 0, to: count, rung })
    // Nothing more comes once all places are taken for certain.
    if (rung.reduce((sum, mass) => sum + mass, 0) < negligible || picked.every((x) => x > 40)) break
  }
  return result
}

interface Part {
  readonly from: number
  readonly to: number
  /** P(n have rung), n below the number of places, among all candidates but the picks of this part. */
  readonly rung: Float64Array
}

function addIntegrand(
  sums: { readonly picked: Float64Array; readonly result: Float64Array },
  { from, to, rung }: Part,
): void {
  const { picked, result } = sums
  if (to - from === 1) {
    const x = picked[from]!
    result[from] = result[from]! + step * x * Math.exp(-x) * rung[from]!
    return
  }
  const middle = (from + to) >>> 1
  const [left, right] = [rung.slice(), rung.slice()]
  for (let at = middle; at < to; at++) add(left, 1 - Math.exp(-picked[at]!))
  for (let at = from; at < middle; at++) add(right, 1 - Math.exp(-picked[at]!))
  addIntegrand(sums, { from, to: middle, rung: left })
  addIntegrand(sums, { from: middle, to, rung: right })
}

/** Adds one that has rung with a probability. */
function add(rung: Float64Array, probability: number): void {
  for (let n = rung.length - 1; n > 0; n--) rung[n] = rung[n]! * (1 - probability) + rung[n - 1]! * probability
  rung[0] = rung[0]! * (1 - probability)
}
