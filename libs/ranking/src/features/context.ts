import type { Interests } from '@freshet/domain/features/interests'
import type { Need } from '@freshet/domain/features/feature'
import type { PositionRates } from '@freshet/domain/features/memboost'
import type { PinReading } from '@freshet/domain/features/pin-reading'
import type { Pin } from '@freshet/domain/pin'
import type { UserState } from '@freshet/domain/user-state'

/** Everything that a feature may look at for one candidate of one request. The time is the request's: features never ask a clock. */
export interface FeatureContext {
  readonly pinId: string
  /** null: a request without a user, or a user without state. */
  readonly user: UserState | null
  /** Derived once per request by `readInterests`; null where `user` is. */
  readonly interests: Interests | null
  /** Derived once per state; null: nobody has engaged with the pin yet, or its state has not arrived. */
  readonly pin: PinReading | null
  /** null: the catalogue does not know the pin. */
  readonly pinMeta: Pin | null
  /** The merged score of the sources; null: the pin did not come from a source. */
  readonly retrievalScore: number | null
  /** How often users act on pins by position, over all pins; null: the default curve. */
  readonly positionRates: PositionRates | null
  /** The time of the request, milliseconds since the epoch. */
  readonly atMs: number
}

/** The candidates of one request as features read them, in columns of one length. */
export interface FeaturePage extends Pick<FeatureContext, 'user' | 'interests' | 'positionRates' | 'atMs'> {
  readonly pinIds: readonly string[]
  readonly pins: readonly FeatureContext['pin'][]
  readonly pinMetas: readonly FeatureContext['pinMeta'][]
  readonly retrievalScores: Float32Array
}

/**
 * What happens to the features of a need while its source does not answer: the failure policy. A source that answers and
 * has nothing is another case: then the feature has its `missing` value.
 */
export const needFailures: Readonly<Record<Need, string>> = {
  user: 'not ranked: last good feed',
  interests: 'not ranked: last good feed',
  pin: 'last known',
  pinMeta: 'last known',
  retrievalScore: 'no candidate',
}
