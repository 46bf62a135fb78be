import type { Pin } from '../pin.ts'
import type { UserState } from '../user-state.ts'
import type { Interests } from './interests.ts'
import type { PositionRates } from './memboost.ts'
import type { PinReading } from './pin-reading.ts'

/** All that a feature may look at for one candidate of one request. The time is the request's: features never ask a clock. */
export interface FeatureContext {
  readonly pinId: string
  /** null: a request without a user, or a user of whom nothing is known. */
  readonly user: UserState | null
  /** Derived once per request by `readInterests`; null where `user` is. */
  readonly interests: Interests | null
  /** Derived once per state; null: nobody has engaged with the pin yet, or its state has not arrived. */
  readonly pin: PinReading | null
  /** null: the catalogue does not know the pin. */
  readonly pinMeta: Pin | null
  /** What the sources gave the pin; null: it did not come from a source. */
  readonly retrievalScore: number | null
  /** How often pins are acted on by position, over all pins; null: the default curve. */
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

/** What a feature can't be read without; where it is missing, the feature has its `missing` value. */
export type Need = 'user' | 'interests' | 'pin' | 'pinMeta' | 'retrievalScore'

/** What happens to the features of a need while its source does not answer: the failure policy. Absent is another thing: then the feature has its `missing` value. */
export const needFailures: Readonly<Record<Need, string>> = {
  user: 'not ranked: last good feed',
  interests: 'not ranked: last good feed',
  pin: 'last known',
  pinMeta: 'last known',
  retrievalScore: 'no candidate',
}

/** A named number, or a few, read from state: the only definition that training and serving have of it. */
export interface Feature {
  readonly name: string
  /** How many numbers it writes. */
  readonly width: number
  /** What each number is where a need is not met. */
  readonly missing: number
  /** For example `count`, `hours`, `probability`. */
  readonly unit: string
  readonly needs: readonly Need[]
  /** `request`: the same for all candidates of a request, so a page reads it once. */
  readonly of: 'candidate' | 'request'
  /** Writes `width` finite numbers to `out` from `offset`. The context holds for this call only: a page uses one for all its candidates. */
  readonly read: (context: FeatureContext, out: Float32Array, offset: number) => void
}

/** The numbers of a context as a feature's reader sees them: its needs are there. */
export type Met<N extends Need> = FeatureContext & { readonly [K in N]: NonNullable<FeatureContext[K]> }

/** A feature of one number. Anything not finite that `value` gives becomes the missing value: a vector never holds NaN. */
export function scalar<const N extends Need>(definition: {
  readonly name: string
  readonly unit: string
  readonly missing: number
  readonly needs: readonly N[]
  /** Default: `candidate`. A feature of the `request` looks at nothing of the candidate. */
  readonly of?: 'candidate' | 'request'
  readonly value: (context: Met<N>) => number
}): Feature {
  const { name, unit, missing, needs, of = 'candidate', value } = definition
  const meets = meetsAll(needs)
  return {
    name,
    width: 1,
    missing,
    unit,
    needs,
    of,
    read(context, out, offset) {
      const read = meets(context) ? value(context) : missing
      out[offset] = Number.isFinite(read) ? read : missing
    },
  }
}

/** Milliseconds as hours, never below 0: what is newer than the request counts as now. */
export function hours(elapsedMs: number): number {
  return Math.max(0, elapsedMs) / 3_600_000
}

/** Whether the needs are met, without a loop over names: this is asked for each feature of each candidate. */
function meetsAll<N extends Need>(needs: readonly N[]): (context: FeatureContext) => context is Met<N> {
  const wants = (need: Need) => (needs as readonly Need[]).includes(need)
  const user = wants('user')
  const interests = wants('interests')
  const pin = wants('pin')
  const pinMeta = wants('pinMeta')
  const retrievalScore = wants('retrievalScore')
  return (context): context is Met<N> =>
    !(user && context.user === null) &&
    !(interests && context.interests === null) &&
    !(pin && context.pin === null) &&
    !(pinMeta && context.pinMeta === null) &&
    !(retrievalScore && context.retrievalScore === null)
}
