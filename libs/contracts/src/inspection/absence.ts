import { hash32 } from '@freshet/domain/hash'
import { float32Column, uint32Column } from '../bytes/columns.ts'
import type { ExplainedAbsence, ExplainedRemovals } from '../gen/freshet/blending/v1/blending.ts'
import type { CandidateTrace, FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { unshownJson } from './served-unshown.ts'
import { sourcesOf } from './explained-sources.ts'

/** How many candidates each stage removed, by reason: of the trace, else of the sample. */
export function removalsOf({ trace, unshown }: FeedServed): ExplainedRemovals[] {
  const reasons = trace?.reasons ?? unshown?.reasons ?? []
  return reasons
    .filter(({ candidates }) => candidates > 0)
    .map(({ stage, reason, candidates }) => ({ stage, reason, candidates }))
}

/** Why a pin is not on the page of a feed, from the trace of all candidates and the sample of those not shown. */
export function explainAbsence(served: FeedServed, pinId: string): ExplainedAbsence {
  const lastUtility = served.pinIds.length === 0 ? undefined : float32Column(served.utilities).at(-1)
  const last = lastUtility === undefined ? {} : { lastUtility }
  const nothing = { pinId, wasCandidate: false, stage: '', reason: '', sources: [], ...last }
  const traced = served.trace === undefined ? null : fateOf(served.trace, pinId)
  if (served.trace !== undefined && traced === null)
    return { ...nothing, text: `${pinId} was never a candidate: ${whyNoCandidate(served)}` }
  const sampled = unshownJson(served)?.pins.find((pin) => pin.pinId === pinId)
  if (traced === null && sampled === undefined)
    return {
      ...nothing,
      text: `${pinId} is not on the page, and the record has no trace: it may have been a candidate`,
    }
  const found = {
    stage: traced?.stage ?? sampled?.stage ?? '',
    reason: traced?.reason ?? sampled?.reason ?? '',
    utility: traced?.utility ?? sampled?.utility ?? null,
    rank: traced?.rank ?? sampled?.retrievalRank ?? null,
  }
  return {
    ...nothing,
    wasCandidate: true,
    stage: found.stage,
    reason: found.reason,
    ...(found.utility !== null && { utility: found.utility }),
    ...(found.rank !== null && { retrievalRank: found.rank }),
    sources: sampled === undefined ? [] : sourcesOf(sampled),
    text: textOf(pinId, found, lastUtility),
  }
}

/** Next pages come from the pins that the first page left, so no source was asked. */
function whyNoCandidate({ stages, sources }: FeedServed): string {
  if (stages.some(({ stage }) => stage === 'next-page/reserve'))
    return 'this next page was made of ranked pins that the session kept, and it was not among them. An earlier page may have shown it; the feed of the page that was ranked from scratch says what became of it'
  return `none of the sources found it (${sources.join(', ') || 'none was asked'}). They find pins near what the user did, popular pins and new pins of what the user follows; a restriction of the request may have kept it out too`
}

interface Fate {
  readonly stage: string
  readonly reason: string
  /** null: it was not ranked. */
  readonly utility: number | null
  /** Rank in retrieval order, 0 = best. */
  readonly rank: number | null
}

/** The fate of a pin in a trace; null: it was not a candidate. With n candidates, another pin has its hash with probability n / 2^32. */
function fateOf({ reasons, pins, fates, utilities }: CandidateTrace, pinId: string): Fate | null {
  const hash = hash32(pinId)
  const rank = uint32Column(pins).indexOf(hash)
  if (rank === -1) return null
  const reason = reasons[(fates[rank] ?? 0) - 1]
  const utility = float32Column(utilities)[rank] ?? NaN
  return {
    stage: reason?.stage ?? '',
    reason: reason?.reason ?? '',
    utility: Number.isNaN(utility) ? null : utility,
    rank,
  }
}

function textOf(pinId: string, { stage, reason, utility, rank }: Fate, lastUtility: number | undefined): string {
  const where = rank === null ? '' : ` It was candidate ${rank + 1} in retrieval order.`
  const score =
    utility === null
      ? ' It was not ranked.'
      : ` Its utility is ${utility.toFixed(4)}${lastUtility === undefined ? '' : `; that of the last pin of the page is ${lastUtility.toFixed(4)}`}.`
  return `${pinId} was a candidate; the stage ${stage} removed it (${reason}).${where}${score}`
}
