import { ContractError } from '@freshet/contracts/errors'
import { float32Column, uint16Column } from '@freshet/contracts/bytes/columns'
import {
  SourceStatus,
  type EmbeddingVersion,
  type RetrieveRequest,
  type RetrieveResponse,
  type SourceCandidates,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Found } from '@freshet/pipeline/stage'
import { pinKeysOf, type PinKeys } from '@freshet/domain/pin-keys'
import type { SourceColumns } from './source-columns.ts'

/** Columns of candidates as they were found, best first. */
export interface CandidateColumns {
  readonly pinIds: readonly string[]
  readonly keys: PinKeys
  readonly retrievalScores: Float32Array
  readonly sourceNames: readonly string[]
  /** Bit i: `sourceNames[i]` found it. */
  readonly foundBy: Uint32Array
  /** What each source found, beside `sourceNames`; empty: not known any more. */
  readonly foundBySource: readonly SourceColumns[]
  /** Versions of the embeddings that were searched. */
  readonly embeddings: readonly EmbeddingVersion[]
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
      foundBySource: found.foundBySource ?? [],
      embeddings: found.embeddings ?? [],
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
  const count = response.pinIds.length
  const foundBySource = response.sources.slice(0, maxSources).map(sourceColumns)
  const foundBy = foundByOf(foundBySource, { found: count, size: pinIds.length })
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
    sourceNames: foundBySource.map(({ name }) => name),
    foundBy,
    foundBySource,
    embeddings: response.embeddings,
    shortfalls: shortfallsOf(response),
    candidatesFresh: response.fresh,
  })
}

function sourceColumns({ source, candidateIndices, scores }: SourceCandidates): SourceColumns {
  const columns = { name: source, rows: uint16Column(candidateIndices), scores: float32Column(scores) }
  if (columns.scores.length !== columns.rows.length)
    throw misfit(`scores of ${source}`, columns.scores.length, columns.rows.length)
  return columns
}

/** Throws CALL_INTERNAL where a source names a candidate that there is not, or one twice. */
function foundByOf(
  sources: readonly SourceColumns[],
  { found, size }: { readonly found: number; readonly size: number },
): Uint32Array {
  const foundBy = new Uint32Array(size)
  for (const [at, { name, rows }] of sources.entries()) {
    for (const row of rows) {
      if (row >= found) throw misfit(`candidate_indices of ${name}`, row, found)
      const bits = foundBy[row] as number
      if (((bits >>> at) & 1) === 1)
        throw new ContractError('CALL_INTERNAL', `the candidate service answered the pin ${row} twice for ${name}`)
      foundBy[row] = bits | (1 << at)
    }
  }
  return foundBy
}

/** Codes of what the candidate service left out. */
function shortfallsOf({ sources, catchingUp }: RetrieveResponse): string[] {
  const codes: string[] = []
  for (const { status } of sources) {
    if (status === SourceStatus.TIMED_OUT) codes.push('SOURCE_TIMED_OUT')
    if (status === SourceStatus.FAILED) codes.push('SOURCE_FAILED')
  }
  return catchingUp ? [...codes, 'CANDIDATES_BEHIND'] : codes
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
