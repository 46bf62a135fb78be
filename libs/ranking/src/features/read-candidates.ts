import { readInterests } from '@freshet/domain/features/interests'
import type { OverallRates } from '@freshet/domain/features/overall-rates'
import type { PinReading } from '@freshet/domain/features/pin-reading'
import type { RetrievalColumns } from '@freshet/domain/features/retrieval'
import { UserRates } from '@freshet/domain/features/user-rates'
import type { Pin } from '@freshet/domain/pin'
import type { UserState } from '@freshet/domain/user-state'
import type { FeaturePlan } from './plan.ts'

/** The candidates and the user of one request. */
export interface Candidates {
  readonly pinIds: readonly string[]
  /** One merged score of the sources per candidate. */
  readonly retrievalScores: Float32Array
  readonly retrieval: RetrievalColumns
  /** null: a request without a user, or a user without state. */
  readonly user: UserState | null
  /** The time of the request, milliseconds since the epoch. */
  readonly atMs: number
}

/** What the ranker knows about one pin. */
export interface PinEntry {
  /** The catalogue's entry; null: the pin is not in the catalogue. */
  readonly pin: Pin | null
}

/** Supplies the facts about pins. */
export interface PinFacts {
  /** undefined: the pin is unknown. */
  entryOf(pinId: string): PinEntry | undefined
  /** The pin of the catalogue with this `hash32` of its id; undefined: there is none. */
  pinOf(fingerprint: number): Pin | undefined
  /** What all users do with pins, topics and creators. */
  overallRates(): OverallRates
  /** The pin's state as features read it; null: no user has engaged with the pin yet. */
  readingOf(entry: PinEntry): PinReading | null
}

/** What was read about the candidates of one request. */
export interface ReadCandidates {
  /** One row of `plan.width` numbers per candidate. */
  readonly features: Float32Array
  /** For each candidate its entry in the catalogue; null: it has none. */
  readonly pins: readonly (Pin | null)[]
}

/** Reads the features of a plan. Unknown values are the feature's missing value. */
export function readCandidates(plan: FeaturePlan, candidates: Candidates, facts: PinFacts): ReadCandidates {
  const { pinIds, retrievalScores, retrieval, user, atMs } = candidates
  const interests = user === null ? null : readInterests(user, (id) => facts.entryOf(id)?.pin ?? undefined, atMs)
  const overall = facts.overallRates()
  const userRates =
    user === null
      ? null
      : new UserRates({
          user,
          pinOf: (fingerprint) => facts.pinOf(fingerprint),
          overallRate: (action) => overall.rate(action),
          atMs,
        })
  const pins = new Array<PinReading | null>(pinIds.length)
  const pinMetas = new Array<Pin | null>(pinIds.length)
  for (let row = 0; row < pinIds.length; row++) {
    const entry = facts.entryOf(pinIds[row]!)
    pins[row] = entry === undefined ? null : facts.readingOf(entry)
    pinMetas[row] = entry?.pin ?? null
  }
  const features = new Float32Array(pinIds.length * plan.width)
  const request = { user, interests, userRates, overall, retrieval, atMs }
  plan.readPage({ ...request, pinIds, pins, pinMetas, retrievalScores }, features)
  return { features, pins: pinMetas }
}
