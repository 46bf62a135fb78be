/** A drawn slate as its feed records it. */
export interface LoggedDraw {
  /** By position: the utility with which the pin was drawn. */
  readonly values: Float64Array
  /** By position: the probability of the pin, given those above it. */
  readonly steps: Float64Array
  /** In the unit of utility. */
  readonly temperature: number
  /** How many candidates could be drawn but are not on the page. */
  readonly restCount: number
  /** A sample of them: their utilities, and for how many candidates each one stands; empty: none is known. */
  readonly rest: { readonly values: Float64Array; readonly counts: Float64Array }
}

/** Another policy of the same kind. */
export interface TargetDraw {
  /** The temperature as a multiple of the logged one. */
  readonly temperatureTimes: number
  /** By position: what is added to the utility of the pin. */
  readonly added: Float64Array
}

/** What the target policy would have drawn. */
export interface Redrawn {
  /** By position: the probability of the pin, given those above it. */
  readonly steps: Float64Array
  /** Share of the probability of the first position that belongs to candidates that are not on the page, by the target policy. */
  readonly restShare: number
  /** Utility ÷ temperature of the pins, then of the candidates that are not on the page, as far as they are known. */
  readonly worths: Float64Array
  /** Mean of a function of the logged utility over the candidates that are not on the page, as the target policy weighs them; 0: there are none. */
  meanOfRest(of: (value: number) => number): number
}

/** By how much recorded numbers of 32 bits may differ from what they were made of. */
const tolerance = 1e-3

/**
 * The probabilities of a logged slate under another temperature or other utilities, for a draw by Plackett–Luce. The denominator of the
 * logged probabilities says what weight the candidates have that are not on the page. How this weight changes follows from the sample
 * of them; without a sample, they count as equal. null: the recorded probabilities do not fit the recorded utilities.
 */
export function redraw(
  { values, steps, temperature, restCount, rest }: LoggedDraw,
  target: TargetDraw,
): Redrawn | null {
  const places = values.length
  const targetTemperature = temperature * target.temperatureTimes
  const targetValues = values.map((value, at) => value + target.added[at]!)
  const [top, targetTop] = [values, targetValues].map((all) =>
    all.reduce((most, each) => Math.max(most, each), -Infinity),
  )
  const masses = values.map((value) => Math.exp((value - top!) / temperature))
  const targetMasses = targetValues.map((value) => Math.exp((value - targetTop!) / targetTemperature))
  const rests = restMasses(masses, steps)
  if (rests === null) return null
  const first = places === 0 ? 0 : rests[0]!
  const restAdded = target.added.reduce((sum, each) => sum + each, 0) / Math.max(1, places)
  const inTarget = (value: number): number => Math.exp((value + restAdded - targetTop!) / targetTemperature)
  const known =
    first > 0 && rest.values.length === 0
      ? equalRest(top! + temperature * Math.log(first), restCount, temperature)
      : rest
  const logged = weighted(known, (value) => Math.exp((value - top!) / temperature))
  const targetRest = weighted(known, inTarget)
  const targetFirst = logged > 0 ? (first * targetRest) / logged : 0
  const targetSteps = new Float64Array(places)
  let below = 0
  for (let place = places - 1; place >= 0; place--) {
    below += targetMasses[place]!
    const restMass = first > 0 ? (targetFirst * rests[place]!) / first : 0
    targetSteps[place] = targetMasses[place]! / (below + restMass)
  }
  const scale = targetRest > 0 ? targetFirst / targetRest : 0
  const restWorths = scale > 0 ? copiesOf(known, (value) => Math.log(scale * inTarget(value))) : []
  const worths = Float64Array.from([...targetMasses.map((mass) => Math.log(mass)), ...restWorths])
  return {
    steps: targetSteps,
    restShare: below + targetFirst > 0 ? targetFirst / (below + targetFirst) : 0,
    worths,
    meanOfRest: (of) => (targetRest > 0 ? weighted(known, (value) => inTarget(value) * of(value)) / targetRest : 0),
  }
}

/** Equal candidates that weigh together as much as one of the utility `value`. */
function equalRest(value: number, count: number, temperature: number): LoggedDraw['rest'] {
  const candidates = Math.max(1, count)
  return { values: Float64Array.of(value - temperature * Math.log(candidates)), counts: Float64Array.of(candidates) }
}

/** By position: the weight of the candidates that are not on the page; null: a probability is too high for the weights of the page. */
function restMasses(masses: Float64Array, steps: Float64Array): Float64Array | null {
  const rests = new Float64Array(masses.length)
  let below = 0
  for (let place = masses.length - 1; place >= 0; place--) {
    below += masses[place]!
    const whole = masses[place]! / steps[place]!
    if (!(whole >= below * (1 - tolerance)) || !Number.isFinite(whole)) return null
    // What is less than the error of the recorded numbers is nothing.
    rests[place] = whole - below > whole * 1e-5 ? whole - below : 0
  }
  return rests
}

/** A number for each candidate that is not on the page: one of the sample stands for several, whose weights sum to its own. */
function copiesOf({ values, counts }: LoggedDraw['rest'], worthOf: (value: number) => number): number[] {
  return [...values].flatMap((value, at) => {
    const copies = Math.max(1, Math.round(counts[at]!))
    return new Array<number>(copies).fill(worthOf(value) + Math.log(counts[at]! / copies))
  })
}

function weighted({ values, counts }: LoggedDraw['rest'], massOf: (value: number) => number): number {
  return values.reduce((sum, value, at) => sum + counts[at]! * massOf(value), 0)
}
