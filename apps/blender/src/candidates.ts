import { ContractError } from '@freshet/contracts/errors'
import { float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import {
  SourceStatus,
  type EmbeddingVersion,
  type RetrieveRequest,
  type RetrieveResponse,
  type SourceCandidates,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { FeedSeeds } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { feedSeeds } from '@freshet/contracts/inspection/feed-seeds'
import type { Found } from '@freshet/pipeline/stage'
import { hashedPinKeysOf, type PinKeys } from '@freshet/domain/pin-keys'
import type { SourceColumns } from './source-columns.ts'

/** Columns of candidates in the order in which the sources found them, best first. */
export interface CandidateColumns {
  readonly pinIds: readonly string[]
  readonly keys: PinKeys
  /** `hash32` of each pin id. */
  readonly pinHashes: Uint32Array
  readonly retrievalScores: Float32Array
  readonly sourceNames: readonly string[]
  /** Bit i: `sourceNames[i]` found it. */
  readonly foundBy: Uint32Array
  /** What each source found, parallel to `sourceNames`; empty: no longer known. */
  readonly foundBySource: readonly SourceColumns[]
  /** Rank of each pin in retrieval order; null: its row. */
  readonly retrievalRanks: Uint16Array | null
  /** A hash of the board that each pin was saved to last, 0: none; null: not asked for, or not known. */
  readonly boards: Uint32Array | null
  /** Versions of the embeddings that the candidate service searched. */
  readonly embeddings: readonly EmbeddingVersion[]
  /** The user's own actions that the sources started from; undefined: none did, or not known. */
  readonly seeds: FeedSeeds | undefined
  /** Error codes of sources that did not take part. */
  readonly shortfalls: readonly string[]
  /** Whether the candidates reflect all awaited positions. */
  readonly candidatesFresh: boolean
  /** 1: a repeat. The user was shown the pin before, and no unseen pin is left. Repeats shown longest ago come first. */
  readonly shownBefore: Uint8Array
  readonly sweep: SweepState
}

/** How far the candidate service's sweep of the catalogue has come for a user. */
export interface SweepState {
  /** Where the next sweep begins. */
  readonly sweptTo: number
  /** Whether these candidates include every pin that the user was not shown. */
  readonly exhausted: boolean
  /** Whether another request may find more pins, even if this page is short. */
  readonly unfinished: boolean
}

/** The request did not ask for a sweep. */
export const notSwept: SweepState = { sweptTo: 0, exhausted: false, unfinished: false }

const maxSources = 32

/** Makes candidates of pins, in the given order. */
export function toCandidates(
  pinIds: readonly string[],
  retrievalScores: Float32Array,
  found: Partial<Omit<CandidateColumns, 'pinIds' | 'keys' | 'pinHashes' | 'retrievalScores'>> = {},
): Found<CandidateColumns> {
  const keys = hashedPinKeysOf(pinIds)
  return {
    size: pinIds.length,
    columns: {
      pinIds,
      keys,
      pinHashes: keys.hashes,
      retrievalScores,
      sourceNames: found.sourceNames ?? [],
      foundBy: found.foundBy ?? new Uint32Array(pinIds.length),
      foundBySource: found.foundBySource ?? [],
      retrievalRanks: found.retrievalRanks ?? null,
      boards: found.boards ?? null,
      embeddings: found.embeddings ?? [],
      seeds: found.seeds,
      shortfalls: found.shortfalls ?? [],
      candidatesFresh: found.candidatesFresh ?? true,
      shownBefore: found.shownBefore ?? new Uint8Array(pinIds.length),
      sweep: found.sweep ?? notSwept,
    },
  }
}

/** The result of a source that found no pins. */
export function noCandidates(): Found<CandidateColumns> {
  return toCandidates([], new Float32Array(0))
}

/**
 * Makes candidates of the answer to a request. Adds the pins of `also` that the answer does not contain, with score 0.
 * Throws CALL_INTERNAL if the columns of the answer do not match.
 */
export function candidatesFrom(
  response: RetrieveResponse,
  also: readonly string[],
  { fillTo, sweptTo, recent }: Pick<RetrieveRequest, 'fillTo' | 'sweptTo' | 'recent'>,
): Found<CandidateColumns> {
  const scores = float32Column(response.scores)
  if (scores.length !== response.pinIds.length) throw misfit('scores', scores.length, response.pinIds.length)
  if (!areFinite(scores))
    throw new ContractError('CALL_INTERNAL', 'the candidate service answered a score that is not finite')
  const { pinIds, retrievalScores } = withOthers(response.pinIds, scores, also)
  const count = response.pinIds.length
  const foundBySource = response.sources.slice(0, maxSources).map(sourceColumns)
  const foundBy = toFoundBy(foundBySource, { found: count, size: pinIds.length })
  if (response.shownBefore > count) throw misfit('shown_before', response.shownBefore, count)
  const { exhausted } = response
  const isWithin = fillTo > 0 && !exhausted
  return toCandidates(pinIds, retrievalScores, {
    shownBefore: new Uint8Array(pinIds.length).fill(1, count - response.shownBefore, count),
    sweep: {
      sweptTo: response.sweptTo,
      exhausted,
      unfinished: isWithin && (count >= fillTo || response.sweptTo !== sweptTo),
    },
    sourceNames: foundBySource.map(({ name }) => name),
    foundBy,
    foundBySource,
    boards: boardsFrom(response, pinIds.length),
    embeddings: response.embeddings,
    seeds: feedSeeds(response.sources.slice(0, maxSources), recent),
    shortfalls: listShortfalls(response),
    candidatesFresh: response.fresh,
  })
}

function areFinite(numbers: Float32Array): boolean {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false
  return true
}

function boardsFrom({ boards, pinIds }: RetrieveResponse, size: number): Uint32Array | null {
  if (boards.length === 0) return null
  const known = uint32Column(boards)
  if (known.length !== pinIds.length) throw misfit('boards', known.length, pinIds.length)
  const column = new Uint32Array(size)
  column.set(known)
  return column
}

function sourceColumns({ source, candidateIndices, scores }: SourceCandidates): SourceColumns {
  const columns = { name: source, rows: uint16Column(candidateIndices), ranks: null, scores: float32Column(scores) }
  if (columns.scores.length !== columns.rows.length)
    throw misfit(`scores of ${source}`, columns.scores.length, columns.rows.length)
  return columns
}

/** Throws CALL_INTERNAL if a source names a candidate that does not exist, or the same candidate twice. */
function toFoundBy(
  sources: readonly SourceColumns[],
  { found, size }: { readonly found: number; readonly size: number },
): Uint32Array {
  const foundBy = new Uint32Array(size)
  for (const [at, { name, rows }] of sources.entries()) {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      if (row >= found) throw misfit(`candidate_indices of ${name}`, row, found)
      const bits = foundBy[row] as number
      if (((bits >>> at) & 1) === 1)
        throw new ContractError('CALL_INTERNAL', `the candidate service answered the pin ${row} twice for ${name}`)
      foundBy[row] = bits | (1 << at)
    }
  }
  return foundBy
}

/** Error codes of the sources that the candidate service left out. */
function listShortfalls({ sources, catchingUp }: RetrieveResponse): string[] {
  const codes: string[] = []
  for (const { status } of sources) {
    if (status === SourceStatus.TIMED_OUT) codes.push('SOURCE_TIMED_OUT')
    if (status === SourceStatus.FAILED) codes.push('SOURCE_FAILED')
  }
  return catchingUp ? [...codes, 'CANDIDATES_BEHIND'] : codes
}

/** Ranks of some rows in retrieval order, 0 is the best. */
export function retrievalRanksOf(
  { retrievalRanks }: Pick<CandidateColumns, 'retrievalRanks'>,
  rows: Int32Array,
): Uint16Array {
  const ranks = new Uint16Array(rows.length)
  if (retrievalRanks === null) ranks.set(rows)
  else for (let i = 0; i < rows.length; i++) ranks[i] = retrievalRanks[rows[i]!]!
  return ranks
}

/** The names of the sources that found a row. */
export function sourcesThatFound({ sourceNames, foundBy }: CandidateColumns, row: number): string[] {
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
