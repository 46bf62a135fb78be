import { orZero } from '@freshet/columns/or-zero'
import type { Mode } from './modes.ts'
import { type Hits, type ScoreBoard } from '@freshet/columns/score-board'

/** One source's answer, its weight and the meaning of its scores. */
export interface MergeInput {
  readonly hits: Hits
  readonly share: number
  readonly scale: 'probability' | 'relative'
  /** The worth of each of its ranks, for each kind of query, see `Calibration`. */
  readonly worths?: Readonly<Record<Mode, Float64Array>>
}

/** What the merge works with. `evidence`: how far to trust the sources of scale `relative` together, in (0, 1]. */
export interface MergeContext {
  readonly board: ScoreBoard
  readonly evidence: number
  readonly mode?: Mode
  /** Weight of the learned worths against the fixed mixture, in [0, 1); 0 where absent. */
  readonly learned?: number
  /** The factor by which each pin counts less; null or absent: none does. */
  readonly liking?: ((row: number) => number) | null
}

const leastProbabilityWeight = 0.02

/**
 * Mixes the answers of sources into one distribution over the user's next pin; the weights sum to 1. There are two
 * mixtures, weighted by how much the merge has learned:
 *
 * - the fixed one: sources of scale `relative` that found anything divide `evidence` by their shares, and each adds its
 *   scores as parts of their sum; a source of scale `probability` adds share · (1 − evidence) · score, because popular
 *   pins have large probabilities where tastes are narrow and small ones where they are wide;
 * - the learned one: each source adds the worths of its ranks.
 *
 * A source that answers alone needs no share and keeps its order to the last bit: the learned mixture does not count, and
 * its scores are scaled by a power of two. Fills the board.
 */
export function mixHits(
  inputs: readonly MergeInput[],
  { board, evidence, mode = 'closed', learned = 0 }: Omit<MergeContext, 'liking'>,
): void {
  board.clear()
  const isAlone = inputs.length === 1
  const shareOf = ({ share }: MergeInput): number => (isAlone ? 1 : share)
  let shares = 0
  for (const input of inputs) if (input.scale === 'relative' && input.hits.count > 0) shares += shareOf(input)
  const trusted = shares > 0 ? evidence : 0
  const untrusted = Math.max(leastProbabilityWeight, 1 - trusted)
  let weights = trusted
  let worths = 0
  for (const input of inputs) {
    if (input.hits.count === 0 || shareOf(input) === 0) continue
    if (input.scale === 'probability') weights += untrusted * shareOf(input)
    const worth = input.worths?.[mode]
    if (worth !== undefined) for (let i = 0; i < input.hits.count; i++) worths += orZero(worth[i])
  }
  const part = worths > 0 && !isAlone ? learned : 0
  for (const input of inputs) {
    const { hits: found, scale } = input
    const worth = input.worths?.[mode]
    const share = shareOf(input)
    if (share === 0 || found.count === 0) continue
    let weight = (1 - part) / weights
    if (scale === 'probability') weight *= untrusted * share
    else weight *= (trusted * share) / (shares * sumScores(found))
    // Scaling by a power of two is exact: rounding must not turn different scores into ties.
    if (isAlone) weight = 2 ** Math.floor(Math.log2(weight))
    const { rows, scores, count } = found
    if (part === 0 || worth === undefined) for (let i = 0; i < count; i++) board.add(rows[i]!, weight * scores[i]!)
    else for (let i = 0; i < count; i++) board.add(rows[i]!, weight * scores[i]! + (part * orZero(worth[i])) / worths)
  }
}

/** Mixes the answers of sources and fills `hits` with the best `limit` of the union, best first. */
export function mergeHits(
  inputs: readonly MergeInput[],
  context: MergeContext,
  { limit, hits }: { readonly limit: number; readonly hits: Hits },
): void {
  const { board, liking = null } = context
  mixHits(inputs, context)
  board.top(limit, always, hits, liking ?? undefined)
}

function sumScores({ scores, count }: Hits): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += scores[i]!
  return sum
}

function always(): boolean {
  return true
}
