import { ContractError } from '@freshet/contracts/errors'
import { float32Column, uint16Column } from '@freshet/contracts/bytes/columns'
import {
  SourceStatus,
  type RetrieveRequest,
  type RetrieveResponse,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Found } from '@freshet/pipeline/stage'
import { pinKeysOf, type PinKeys } from '@freshet/domain/pin-keys'

/** Columns of candidates as they were found, best first. */
export interface CandidateColumns {
  readonly pinIds: readonly string[]
  readonly keys: PinKeys
  readonly retrievalScores: Float32Array
  readonly sourceNames: readonly string[]
  /** Bit i: `sourceNames[i]` found it. */
  readonly foundBy: Uint32Array
  /** Codes of what was left out. */
  readonly shortfalls: readonly string[]
  /** Whether what was awaited is reflected. */
  readonly candidatesFresh: boolean
  /** 1: the user was shown it before, and it may come again, because nothing else is left. In the order of how long ago. */
  readonly shownBefore: Uint8Array
  readonly sweep: SweepState
}

/** How far the candidate service's sweep of the catalogue has come for a user. */
export interface SweepState {
  /** Where the next one begins. */
  readonly sweptTo: number
  /** Whether, beside the candidates, nothing is left that the user was not shown. */
  readonly exhausted: boolean
  /** Whether more may be found by asking again, though the page be short. */
  readonly unfinished: boolean
}

/** No sweep was asked for. */
export const notSwept: SweepState = { sweptTo: 0, exhausted: false, unfinished: false }

const maxSources = 32

/** Candidates from pins in their order. */
export function candidatesOf(
  pinIds: readonly string[],
  retrievalScores: Float32Array,
  found: Partial<Omit<CandidateColumns, 'pinIds' | 'keys' | 'retrievalScores'>> = {},
): Found<CandidateColumns> {
  return {
    size: pinIds.length,
    columns: {
      pinIds,
      keys: pinKeysOf(pinIds),
      retrievalScores,
      sourceNames: found.sourceNames ?? [],
      foundBy: found.foundBy ?? new Uint32Array(pinIds.length),
      shortfalls: found.shortfalls ?? [],
      candidatesFresh: found.candidatesFresh ?? true,
      shownBefore: found.shownBefore ?? new Uint8Array(pinIds.length),
      sweep: found.sweep ?? notSwept,
    },
  }
}

/** What a source found that found nothing. */
export function noCandidates(): Found<CandidateColumns> {
  return candidatesOf([], new Float32Array(0))
}

/**
 * Candidates from the answer to a request, and those of `also` that it does not hold, without a score. Throws CALL_INTERNAL
 * for an answer whose columns don't fit.
 */
export function candidatesFrom(
  response: RetrieveResponse,
  also: readonly string[],
  { fillTo, sweptTo }: Pick<RetrieveRequest, 'fillTo' | 'sweptTo'>,
): Found<CandidateColumns> {
  const scores = float32Column(response.scores)
  if (scores.length !== response.pinIds.length) throw misfit('scores', scores.length, response.pinIds.length)
  if (!scores.every(Number.isFinite))
    throw new ContractError('CALL_INTERNAL', 'the candidate service answered a score that is not finite')
  const { pinIds, retrievalScores } = withOthers(response.pinIds, scores, also)
  const foundBy = new Uint32Array(pinIds.length)
  const shortfalls: string[] = []
  for (const [at, { candidateIndices, status, source }] of response.sources.entries()) {
    if (status === SourceStatus.TIMED_OUT) shortfalls.push('SOURCE_TIMED_OUT')
    if (status === SourceStatus.FAILED) shortfalls.push('SOURCE_FAILED')
    if (at >= maxSources) continue
    for (const row of uint16Column(candidateIndices)) {
      if (row >= response.pinIds.length) throw misfit(`candidate_indices of ${source}`, row, response.pinIds.length)
      foundBy[row] = (foundBy[row] as number) | (1 << at)
    }
  }
  if (response.catchingUp) shortfalls.push('CANDIDATES_BEHIND')
  const count = response.pinIds.length
  if (response.shownBefore > count) throw misfit('shown_before', response.shownBefore, count)
  const { exhausted } = response
  const isWithin = fillTo > 0 && !exhausted
  return candidatesOf(pinIds, retrievalScores, {
    shownBefore: new Uint8Array(pinIds.length).fill(1, count - response.shownBefore, count),
    sweep: {
      sweptTo: response.sweptTo,
      exhausted,
      unfinished: isWithin && (count >= fillTo || response.sweptTo !== sweptTo),
    },
    sourceNames: response.sources.slice(0, maxSources).map(({ source }) => source),
    foundBy,
    shortfalls,
    candidatesFresh: response.fresh,
  })
}

/** The names of the sources that a row's bits stand for. */
export function sourcesOf({ sourceNames, foundBy }: CandidateColumns, row: number): string[] {
  const bits = foundBy[row] ?? 0
  return sourceNames.filter((_, i) => ((bits >>> i) & 1) === 1)
}

function withOthers(pinIds: readonly string[], scores: Float32Array, also: readonly string[]) {
  if (also.length === 0) return { pinIds, retrievalScores: scores }
  const known = new Set(pinIds)
  const others = also.filter((pinId) => !known.has(pinId))
  const retrievalScores = new Float32Array(pinIds.length + others.length)
  retrievalScores.set(scores)
  return { pinIds: [...pinIds, ...others], retrievalScores }
}

function misfit(column: string, value: number, rows: number): ContractError {
  return new ContractError('CALL_INTERNAL', `the candidate service answered ${column}: ${value} for ${rows} pins`)
}
