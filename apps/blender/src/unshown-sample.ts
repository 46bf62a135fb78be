import { mulberry32 } from '@freshet/domain/mulberry32'
import { hash32 } from '@freshet/domain/hash'
import type { Fates } from '@freshet/pipeline/fates'

/** The candidates that left at one stage for one reason: how many, and how many of them are in the sample. */
export interface UnshownGroup {
  readonly stage: string
  readonly reason: string
  readonly candidates: number
  readonly sampled: number
}

/** Candidates that were not shown, in columns of equal length. */
export interface UnshownSample {
  readonly groups: readonly UnshownGroup[]
  /** In the order in which the sources found them. */
  readonly rows: Int32Array
  /** Index in `groups`. */
  readonly groupOf: Uint8Array
}

/**
 * Samples at most `maxRows` of the candidates that left; the same seed gives the same sample. Every group (stage and reason)
 * gets an equal share; groups with too few candidates leave the rest of their share to the others. Within a group all candidates
 * are equally likely: the probability is `sampled` / `candidates`.
 */
export function sampleUnshown(
  { codes, removals }: Pick<Fates, 'codes' | 'removals'>,
  { maxRows, seed }: { readonly maxRows: number; readonly seed: string },
): UnshownSample {
  const left = new Int32Array(removals.length)
  for (let row = 0; row < codes.length; row++) {
    const at = (codes[row] as number) - 1
    if (at >= 0) left[at] = (left[at] as number) + 1
  }
  const wanted = shares(left, maxRows)
  const placeOf = new Uint8Array(removals.length)
  const groups: UnshownGroup[] = []
  for (const [at, { stage, reason }] of removals.entries()) {
    const candidates = left[at] as number
    if (candidates === 0) continue
    placeOf[at] = groups.length
    groups.push({ stage, reason, candidates, sampled: wanted[at] as number })
  }
  let total = 0
  for (const count of wanted) total += count
  const rows = new Int32Array(total)
  const groupOf = new Uint8Array(total)
  const next = mulberry32(hash32(seed))
  let count = 0
  for (let row = 0; row < codes.length && count < total; row++) {
    const at = (codes[row] as number) - 1
    const missing = at < 0 ? 0 : (wanted[at] as number)
    if (missing === 0) continue
    // Knuth's selection sampling: each row is taken with probability missing / remaining.
    const remaining = left[at] as number
    left[at] = remaining - 1
    if (next() * remaining >= missing) continue
    wanted[at] = missing - 1
    rows[count] = row
    groupOf[count++] = placeOf[at] as number
  }
  return { groups, rows, groupOf }
}

/** The size of each group's sample: small groups are taken whole, the others share the rest equally. */
function shares(sizes: Int32Array, max: number): Int32Array {
  const taken = new Int32Array(sizes.length)
  const order = [...sizes.keys()]
    .filter((at) => sizes[at] !== 0)
    .sort((a, b) => (sizes[a] as number) - (sizes[b] as number))
  let left = max
  for (const [done, at] of order.entries()) {
    const share = Math.min(sizes[at] as number, Math.floor(left / (order.length - done)))
    taken[at] = share
    left -= share
  }
  return taken
}
