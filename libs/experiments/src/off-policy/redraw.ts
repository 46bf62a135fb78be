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
  if ((rests[0] ?? 0) > 0 && rest.values.length === 0) {
    const value = logged.top + temperature * Math.log(rests[0]!)
    return redraw({ ...draw, rest: equalRest(value, restCount, temperature) }, { ...target, restAdded: null })
  }
  if (rest.keptOutFrom !== null && !fits(rests, massesByPlace(rest, logged.rest, places), steps, logged.page))
    return null
  const { page, rest: restMass } = targetMasses(draw, target)
  const ratio = weighted(rest, restMass) / weighted(rest, logged.rest)
  const targetRests =
    rest.keptOutFrom === null
      ? rests.map((mass) => (mass > 0 ? mass * ratio : 0))
      : massesByPlace(rest, restMass, places)
  const targetSteps = new Float64Array(places)
  let below = 0
  for (let place = places - 1; place >= 0; place--) {
    below += page[place]!
    targetSteps[place] = page[place]! / (below + targetRests[place]!)
  }
  const first = targetRests[0] ?? 0
  return {
    steps: targetSteps,
    restShare: below + first > 0 ? first / (below + first) : 0,
    worths: Float64Array.from([...page.map((mass) => Math.log(mass)), ...restWorths(rest, restMass, first)]),
    meanOfRest(place, of) {
      const isIn = restMass.map((mass, at) => ((rest.keptOutFrom?.[at] ?? Infinity) > place ? mass : 0))
      const whole = weighted(rest, isIn)
      return whole > 0
        ? weighted(
            rest,
            isIn.map((mass, at) => mass * of(rest.values[at]!, at)),
          ) / whole
        : 0
    },
  }
}

/** exp(utility ÷ temperature) of the page and of the rest, divided by that of the utility `top`. */
function massesOf(page: Float64Array, rest: Float64Array, temperature: number) {
  const top = [...page, ...rest].reduce((most, each) => Math.max(most, each), -Infinity)
  const massOf = (value: number): number => Math.exp((value - top) / temperature)
  return { top, page: page.map(massOf), rest: rest.map(massOf) }
}

function targetMasses(
  { values, temperature, rest }: LoggedDraw,
  { temperatureTimes, added, restAdded }: TargetDraw,
): ReturnType<typeof massesOf> {
  const meanAdded = added.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
  return massesOf(
    values.map((value, at) => value + added[at]!),
    rest.values.map((value, at) => value + (restAdded?.[at] ?? meanAdded)),
    temperature * temperatureTimes,
  )
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

/** A number for each candidate that is not on the page: one of a sample stands for several. Their weights sum to `first`. */
function restWorths(rest: Rest, masses: Float64Array, first: number): number[] {
  const scale = first / weighted(rest, masses)
  if (!(scale > 0)) return []
  return [...rest.counts].flatMap((count, at) => {
    const copies = Math.max(1, Math.round(count))
    return new Array<number>(copies).fill(Math.log((scale * masses[at]! * count) / copies))
  })
}

function weighted({ counts }: Rest, masses: Float64Array): number {
  return masses.reduce((sum, mass, at) => sum + counts[at]! * mass, 0)
}
