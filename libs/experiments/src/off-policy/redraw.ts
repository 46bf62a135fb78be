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
  /** What is known of them. */
  readonly rest: Rest
}

/** Candidates that could be drawn but are not on the page: all of them, or a sample. Empty: none is known. */
export interface Rest {
  /** The utility of each. */
  readonly values: Float64Array
  /** For how many candidates each one stands. */
  readonly counts: Float64Array
  /** If these are all: the position from which on a rule kept each one out; null: not known. */
  readonly keptOutFrom: Uint16Array | null
}

/** Another policy of the same kind. */
export interface TargetDraw {
  /** The temperature as a multiple of the logged one. */
  readonly temperatureTimes: number
  /** By position: what is added to the utility of the pin. */
  readonly added: Float64Array
  /** The same for each known candidate that is not on the page; null: as much as for the mean pin of the page. */
  readonly restAdded: Float64Array | null
}

/** What the target policy would have drawn. */
export interface Redrawn {
  /** By position: the probability of the pin, given those above it. */
  readonly steps: Float64Array
  /** Share of the probability of the first position that belongs to candidates that are not on the page, by the target policy. */
  readonly restShare: number
  /** Utility ÷ temperature of the pins, then of the candidates that are not on the page, as far as they are known. */
  readonly worths: Float64Array
  /** The probability that the target policy gives to the pin of a later position, or of this one, at a position. */
  probabilityAt(place: number, pinOf: number): number
  /**
   * Mean of a function of the logged utility and the number of a candidate, over the candidates that are not on the page, as the target policy
   * weighs them at a position; 0: there are none.
   */
  meanOfRest(place: number, of: (value: number, at: number) => number): number
}

/** By how much recorded numbers of 32 bits may differ from what they were made of. */
const tolerance = 1e-3

/**
 * The probabilities of a logged slate under another temperature or other utilities, for a draw by Plackett–Luce. They are exact if all
 * candidates are known that are not on the page, and which of them rules kept out. Otherwise the denominators of the logged probabilities
 * say what weight these candidates have, and a sample of them says how it changes; without a sample, they count as equal. null: the
 * recorded probabilities do not fit the recorded utilities.
 */
export function redraw(draw: LoggedDraw, target: TargetDraw): Redrawn | null {
  const { values, steps, temperature, restCount, rest } = draw
  const places = values.length
  const logged = massesOf(values, rest.values, temperature)
  const rests = restMasses(logged.page, steps)
  if (rests === null) return null
  const mostRest = rests.reduce((most, mass) => Math.max(most, mass), 0)
  if (mostRest > 0 && rest.values.length === 0) {
    const value = logged.top + temperature * Math.log(mostRest)
    return redraw({ ...draw, rest: equalRest(value, restCount, temperature) }, { ...target, restAdded: null })
  }
  if (rest.keptOutFrom !== null && !fits(rests, massesByPlace(rest, logged.rest, places), steps, logged.page))
    return null
  const worths = targetWorths(draw, target)
  const logRests = logRestsOf(draw, worths.rest, rests)
  const logWholes = new Float64Array(places)
  let below = -Infinity
  for (let place = places - 1; place >= 0; place--) {
    below = logSum(below, worths.page[place]!)
    logWholes[place] = logSum(below, logRests[place]!)
  }
  const probabilityAt = (place: number, pinOf: number): number => Math.exp(worths.page[pinOf]! - logWholes[place]!)
  return {
    steps: Float64Array.from(worths.page, (_, place) => probabilityAt(place, place)),
    restShare: places > 0 ? Math.exp(logRests[0]! - logWholes[0]!) : 0,
    worths: Float64Array.from([...worths.page, ...restWorths(rest, worths.rest, logRests[0] ?? -Infinity)]),
    probabilityAt,
    meanOfRest(place, of) {
      const own = worths.rest.map((worth, at) => ((rest.keptOutFrom?.[at] ?? Infinity) > place ? worth : -Infinity))
      const top = largest(own)
      if (top === -Infinity) return 0
      const masses = own.map((worth) => Math.exp(worth - top))
      const values = masses.map((mass, at) => mass * of(rest.values[at]!, at))
      return weighted(rest, values) / weighted(rest, masses)
    },
  }
}

/** exp(utility ÷ temperature) of the page and of the rest, divided by that of the utility `top`. */
function massesOf(page: Float64Array, rest: Float64Array, temperature: number) {
  const top = Math.max(largest(page), largest(rest))
  const massOf = (value: number): number => Math.exp((value - top) / temperature)
  return { top, page: page.map(massOf), rest: rest.map(massOf) }
}

/**
 * (utility − highest utility) ÷ temperature by the target policy. Not their exponentials: with a low temperature all of a position
 * would be 0, and its probabilities 0 ÷ 0.
 */
function targetWorths(
  { values, temperature, rest }: LoggedDraw,
  { temperatureTimes, added, restAdded }: TargetDraw,
): { readonly page: Float64Array; readonly rest: Float64Array } {
  const meanAdded = added.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
  const page = values.map((value, at) => value + added[at]!)
  const others = rest.values.map((value, at) => value + (restAdded?.[at] ?? meanAdded))
  const top = Math.max(largest(page), largest(others))
  const worthOf = (value: number): number => (value - top) / (temperature * temperatureTimes)
  return { page: page.map(worthOf), rest: others.map(worthOf) }
}

/** By position: the logarithm of the weight that the candidates below the page have by the target policy. `logged`: what they had. */
function logRestsOf(
  { values, temperature, rest }: LoggedDraw,
  worths: Float64Array,
  logged: Float64Array,
): Float64Array {
  const { keptOutFrom } = rest
  if (keptOutFrom === null) {
    const { top } = massesOf(values, rest.values, temperature)
    const before = rest.values.map((value) => (value - top) / temperature)
    const logRatio = logWeight(rest, worths) - logWeight(rest, before)
    return logged.map((mass) => (mass > 0 ? Math.log(mass) + logRatio : -Infinity))
  }
  const logs = new Float64Array(logged.length).fill(-Infinity)
  for (const [at, worth] of worths.entries()) {
    const last = Math.min(logs.length, keptOutFrom[at]!) - 1
    if (last >= 0) logs[last] = logSum(logs[last]!, worth + Math.log(rest.counts[at]!))
  }
  for (let place = logs.length - 2; place >= 0; place--) logs[place] = logSum(logs[place]!, logs[place + 1]!)
  return logs
}

/** Equal candidates that weigh together as much as one of the utility `value`. */
function equalRest(value: number, count: number, temperature: number): Rest {
  const candidates = Math.max(1, count)
  return {
    values: Float64Array.of(value - temperature * Math.log(candidates)),
    counts: Float64Array.of(candidates),
    keptOutFrom: null,
  }
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

/** By position: the weight of the candidates that are not on the page and that no rule keeps out. */
function massesByPlace({ counts, keptOutFrom }: Rest, masses: Float64Array, places: number): Float64Array {
  return Float64Array.from({ length: places }, (_, place) =>
    masses.reduce((sum, mass, at) => (keptOutFrom![at]! > place ? sum + counts[at]! * mass : sum), 0),
  )
}

/** Whether the weights that follow from the recorded probabilities are those of the recorded candidates. */
function fits(rests: Float64Array, known: Float64Array, steps: Float64Array, masses: Float64Array): boolean {
  return rests.every((mass, place) => Math.abs(mass - known[place]!) <= (tolerance * masses[place]!) / steps[place]!)
}

/** A number for each candidate that is not on the page: one of a sample stands for several. The logarithm of their weights' sum is `first`. */
function restWorths(rest: Rest, worths: Float64Array, first: number): number[] {
  const shift = first - logWeight(rest, worths)
  if (!Number.isFinite(shift)) return []
  return [...rest.counts].flatMap((count, at) => {
    const copies = Math.max(1, Math.round(count))
    return new Array<number>(copies).fill(shift + worths[at]! + Math.log(count / copies))
  })
}

function weighted({ counts }: Rest, masses: Float64Array): number {
  return masses.reduce((sum, mass, at) => sum + counts[at]! * mass, 0)
}

/** The logarithm of what candidates weigh together. */
function logWeight({ counts }: Rest, worths: Float64Array): number {
  return worths.reduce((sum, worth, at) => logSum(sum, worth + Math.log(counts[at]!)), -Infinity)
}

/** log(exp(a) + exp(b)). */
function logSum(a: number, b: number): number {
  const top = Math.max(a, b)
  return top === -Infinity ? top : top + Math.log1p(Math.exp(Math.min(a, b) - top))
}

function largest(values: Float64Array): number {
  return values.reduce((most, each) => Math.max(most, each), -Infinity)
}
