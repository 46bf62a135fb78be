/**
 * Context fields that a feature can require. If a required field is null, the feature has its `missing` value. The names are those
 * of the context's fields.
 */
export type Need = 'user' | 'interests' | 'userRates' | 'pin' | 'pinMeta' | 'retrievalScore'

/**
 * One or more named numbers read from a context. Training and serving use this one definition. `Context` contains
 * only what this feature reads, so a feature's file imports neither other features nor a whole state.
 */
export interface Feature<in Context> {
  readonly name: string
  /** How many numbers it writes. */
  readonly width: number
  /** The value of each number when a required field is null. */
  readonly missing: number
  /** For example `count`, `hours`, `probability`. */
  readonly unit: string
  readonly needs: readonly Need[]
  /** `request`: the same for all candidates of a request, so the ranker reads it once per page. */
  readonly of: 'candidate' | 'request'
  /** Writes `width` finite numbers to `out` from `offset`. The context is valid for this call only: a page reuses one for all its candidates. */
  readonly read: (context: Context, out: Float32Array, offset: number) => void
}

/** The context as a feature's reader sees it: required fields are not null. */
export type Met<Context, N extends keyof Context> = Context & { readonly [K in N]: NonNullable<Context[K]> }

/** How a feature of one number is defined. */
export interface ScalarDefinition<Context, N extends Need & keyof Context> {
  readonly name: string
  readonly unit: string
  readonly missing: number
  readonly needs: readonly N[]
  /** Default: `candidate`. A `request` feature must not read the candidate. */
  readonly of?: 'candidate' | 'request'
  readonly value: (context: Met<Context, N>) => number
}

/**
 * Gives the function that defines features of one number over a context: `scalarOver<{ user: … }>()({ name, … })`.
 * A `value` that is not finite becomes the missing value, so a feature vector never holds NaN.
 */
export function scalarOver<Context extends object>() {
  return <const N extends Need & keyof Context>(definition: ScalarDefinition<Context, N>): Feature<Context> => {
    const { name, unit, missing, needs, of = 'candidate', value } = definition
    const meets = meetsAll<Context, N>(needs)
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
}

/** Milliseconds as hours, never below 0: times after the request count as now. */
export function hours(elapsedMs: number): number {
  return Math.max(0, elapsedMs) / 3_600_000
}

/** Whether all required fields are present. Without a loop over names, because it runs for each feature of each candidate. */
function meetsAll<Context extends object, N extends Need & keyof Context>(
  needs: readonly N[],
): (context: Context) => context is Met<Context, N> {
  const wants = (need: Need): boolean => (needs as readonly Need[]).includes(need)
  const user = wants('user')
  const interests = wants('interests')
  const userRates = wants('userRates')
  const pin = wants('pin')
  const pinMeta = wants('pinMeta')
  const retrievalScore = wants('retrievalScore')
  return (context: Partial<Record<Need, unknown>>): context is Met<Context, N> =>
    !(user && context.user === null) &&
    !(interests && context.interests === null) &&
    !(userRates && context.userRates === null) &&
    !(pin && context.pin === null) &&
    !(pinMeta && context.pinMeta === null) &&
    !(retrievalScore && context.retrievalScore === null)
}
