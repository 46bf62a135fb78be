import type { Interests } from '@freshet/domain/features/interests'
import type { Need } from '@freshet/domain/features/feature'
import type { OverallRates } from '@freshet/domain/features/overall-rates'
import type { PinReading } from '@freshet/domain/features/pin-reading'
import type { RetrievalColumns } from '@freshet/domain/features/retrieval'
import type { UserRates } from '@freshet/domain/features/user-rates'
import type { Pin } from '@freshet/domain/pin'
import type { UserState } from '@freshet/domain/user-state'

/** The candidates of one request as features read them, in columns of equal length. Features use the time of the request, never a clock. */
export interface FeaturePage {
  readonly pinIds: readonly string[]
  /** Each pin's state, derived once per state; null: no user has engaged with the pin yet, or its state has not arrived. */
  readonly pins: readonly (PinReading | null)[]
  /** null: the pin is not in the catalogue. */
  readonly pinMetas: readonly (Pin | null)[]
  /** The merged scores of the sources. */
  readonly retrievalScores: Float32Array
  /** What retrieval reported about the candidates. */
  readonly retrieval: RetrievalColumns
  /** null: a request without a user, or a user without state. */
  readonly user: UserState | null
  /** Derived once per request by `readInterests`; null where `user` is. */
  readonly interests: Interests | null
  /** Derived once per request from what the user saw lately; null where `user` is. */
  readonly userRates: UserRates | null
  /** What all users do with pins, topics and creators. */
  readonly overall: OverallRates
  /** The time of the request, milliseconds since the epoch. */
  readonly atMs: number
}

/**
 * The failure policy: what happens to features that need something whose source does not answer. If the source answers but
 * has no value, the feature has its `missing` value instead.
 */
export const needFailures: Readonly<Record<Need, string>> = {
  user: 'not ranked: last good feed',
  interests: 'not ranked: last good feed',
  userRates: 'not ranked: last good feed',
  pin: 'last known',
  pinMeta: 'last known',
  retrievalScore: 'no candidate',
}
