import { ContractError } from '@freshet/contracts/errors'
import { float32Column, uint16Column } from '@freshet/contracts/columns'
import { SourceStatus, type RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Found } from '@freshet/pipeline/stage'
import { pinKeysOf, type PinKeys } from './pin-keys.ts'

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
}

const maxSources = 32

/** Candidates from pins in their order. */
export function candidatesOf(
  pinIds: readonly string[],
  retrievalScores: Float32Array,
  found: Partial<Pick<CandidateColumns, 'sourceNames' | 'foundBy' | 'shortfalls' | 'candidatesFresh'>> = {},
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
    },
  }
}

/** Candidates from an answer, and those of `also` that it does not hold, without a score. Throws CALL_INTERNAL for an answer whose columns don't fit. */
export function candidatesFrom(response: RetrieveResponse, also: readonly string[]): Found<CandidateColumns> {
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
  return candidatesOf(pinIds, retrievalScores, {
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
