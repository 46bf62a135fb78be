/**
 * What a feature can require. If the user, the interests or the user's rates of a page are null, the feature has its `missing` value
 * for all candidates; `pin`, `pinMeta` and `retrievalScore` are fields of a candidate, and one without them has the missing value.
 */
export type Need = 'user' | 'interests' | 'userRates' | 'pin' | 'pinMeta' | 'retrievalScore'

/**
 * One or more named numbers read from a page of candidates. Training and serving use this one definition. `Page` contains
 * only what this feature reads, so a feature's file imports neither other features nor a whole state.
 */
export interface Feature<in Page> {
  readonly name: string
  /** How many numbers it writes for a candidate. */
  readonly width: number
  /** The value of each number when a requirement is not met. */
  readonly missing: number
  /** For example `count`, `hours`, `probability`. */
  readonly unit: string
  readonly needs: readonly Need[]
  /** `request`: the same for all candidates of a page. */
  readonly of: 'candidate' | 'request'
  /**
   * Writes `width` numbers for each candidate to `out`, in the order of the page; a `request` feature writes them once. A number that
   * is not finite means `missing`. A candidate's numbers do not depend on the other candidates.
   */
  readonly read: (page: Page, out: Float64Array) => void
}

/** The page as a feature's reader sees it: what it requires of the request is not null. */
export type Met<Page, N> = Page & { readonly [K in N & keyof Page]: NonNullable<Page[K]> }

interface Described<N extends Need> {
  readonly name: string
  readonly unit: string
  readonly missing: number
  readonly needs: readonly N[]
}

/** How a feature of one number is defined: `value` is the same for all candidates, `column` writes one number per candidate. */
export type ScalarDefinition<Page, N extends Need> = Described<N> &
  (
    | { readonly value: (page: Met<Page, N>) => number }
    | { readonly column: (page: Met<Page, N>, out: Float64Array) => void }
  )

/**
 * Gives the function that defines features of one number over a page: `scalarOver<{ user: … }>()({ name, … })`. A column has its
 * own loop, because a call of a closure for each candidate and feature costs several times what most features cost.
 */
export function scalarOver<Page extends object>() {
  return <const N extends Need>(definition: ScalarDefinition<Page, N>): Feature<Page> => {
    const { name, unit, missing, needs } = definition
    const meets = (page: Page & Partial<Record<Need, unknown>>): page is Met<Page, N> =>
      needs.every((need) => page[need] !== null)
    const of = 'value' in definition ? 'request' : 'candidate'
    const write =
      'value' in definition
        ? (page: Met<Page, N>, out: Float64Array) => void (out[0] = definition.value(page))
        : definition.column
    return {
      name,
      width: 1,
      missing,
      unit,
      needs,
      of,
      read(page, out) {
        if (meets(page)) write(page, out)
        else out.fill(NaN)
      },
    }
  }
}

/** Milliseconds as hours, never below 0: times after the request count as now. */
export function hours(elapsedMs: number): number {
  return Math.max(0, elapsedMs) / 3_600_000
}
