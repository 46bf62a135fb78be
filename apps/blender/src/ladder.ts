import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import type { EngineClock } from '@freshet/pipeline/clock'
import type { Engine, RunResult } from '@freshet/pipeline/engine'
import { PipelineCancelled, PipelineError } from '@freshet/pipeline/errors'
import type { RunRecord, StageRecord } from '@freshet/pipeline/record'
import type { CandidateColumns } from './candidates.ts'
import type { BlenderConfig } from './config.ts'
import type { FeedPipelines } from './get-feed.ts'
import type { FeedRequest } from './request.ts'
import type { FreshnessContext } from './hydrators/await-tokens.ts'
import type { Ranked, ScoreColumns } from './scorers/rank.ts'
import type { UserContext } from './hydrators/user-state.ts'

/** A slate, where it came from and why. */
export interface Answer {
  readonly columns: CandidateColumns
  /** Rows on the page, best first. */
  readonly rows: Int32Array
  /** Whether it is known that nothing comes after these. */
  readonly isLast: boolean
  readonly utilities: Float32Array
  readonly ranked: Ranked | null
  readonly degradation: Degradation
  readonly reasons: readonly string[]
  readonly freshness: Freshness
  /** Records of the runs that it took, in order; the last one made the slate. */
  readonly records: readonly RunRecord[]
}

/** What the ladder climbs down with. */
export interface LadderOptions {
  readonly engine: Engine
  readonly engineClock: EngineClock
  readonly pipelines: FeedPipelines
  /** Codes of what a request can't have, whatever the rung. */
  readonly notesOn: (request: FeedRequest) => readonly string[]
  readonly config: Pick<BlenderConfig, 'answerReserveMs' | 'maxTimeoutMs'>
}

/**
 * The best answer that can be had in time: the whole pipeline (in retrieval order where the ranker is away), else the
 * user's last good feed, else what is popular, which comes from memory and has no time to miss. Throws CALL_CANCELLED, CALL_DEADLINE_EXCEEDED where no time was given,
 * and CALL_INVALID_ARGUMENT for sources that there are not.
 */
export async function answerBest(
  request: FeedRequest,
  { timeoutMs, signal }: CallOptions,
  { engine, engineClock, pipelines, config, notesOn }: LadderOptions,
): Promise<Answer> {
  if (!(timeoutMs > 0)) throw new ContractError('CALL_DEADLINE_EXCEEDED', 'no time was left to begin the call')
  const startMs = engineClock.nowMs()
  const totalMs = Math.min(timeoutMs, config.maxTimeoutMs)
  const reserveMs = Math.min(config.answerReserveMs, totalMs / 4)
  const bound = signal === undefined ? {} : { signal }
  const records: RunRecord[] = []
  let learned: UserContext | null = null
  const tokensGiven = request.collective || request.engagementsAwaited.length > 0 || request.pinsAwaited.length > 0

  try {
    const call = {
      ...bound,
      timeoutMs: totalMs - reserveMs,
    }
    const result: Whole = request.candidatesOnly
      ? await engine.run(pipelines.candidates, request, call)
      : await engine.run(pipelines.feed, request, call)
    records.push(result.record)
    learned = result.context
    if (result.rows.length > 0 || !result.record.stages.some(({ outcome }) => outcome === 'failed-closed'))
      return wholeAnswer(result, records, notesOn(request))
  } catch (error) {
    const failed = ended(error)
    if (request.sources.length > 0 && isContractError(failed.cause, 'CALL_INVALID_ARGUMENT'))
      throw new ContractError('CALL_INVALID_ARGUMENT', `evaluation.sources: ${failed.cause.message}`, { cause: error })
    records.push(failed.record)
    if ('served' in failed.context) learned = failed.context as unknown as UserContext
  }

  const freshness = tokensGiven ? Freshness.BEHIND : Freshness.UNSPECIFIED
  const rungs = [
    ...(request.surface === 'home' && !request.candidatesOnly ? (['lastGood'] as const) : []),
    'popular' as const,
  ]
  for (const rung of rungs) {
    const last = rung === 'popular'
    const leftMs = Math.max(1, totalMs - (engineClock.nowMs() - startMs))
    try {
      const result = await engine.run(pipelines[rung], { ...request, learned }, { ...bound, timeoutMs: leftMs })
      records.push(result.record)
      if (result.rows.length === 0 && !last) continue
      return {
        columns: result.columns,
        rows: result.rows,
        isLast: false,
        utilities: result.columns.retrievalScores,
        ranked: null,
        degradation: last ? Degradation.POPULAR : Degradation.LAST_GOOD,
        reasons: [
          ...reasonsOf(records),
          ...notesOn(request),
          ...(request.userId !== '' && !result.context.remembered ? ['FEED_UNKNOWN_USER'] : []),
        ],
        freshness,
        records,
      }
    } catch (error) {
      records.push(ended(error).record)
    }
  }
  throw new ContractError('CALL_INTERNAL', 'the last rung of the ladder broke', { cause: records.at(-1) })
}

type Whole = RunResult<UserContext & FreshnessContext, CandidateColumns & Partial<ScoreColumns>>

function wholeAnswer(
  { context, columns, rows, record }: Whole,
  records: readonly RunRecord[],
  notes: readonly string[],
): Answer {
  const shortfalls = [...new Set([...reasonsOf(records), ...columns.shortfalls, ...notes])]
  const end = endOf(columns, rows)
  const left = (record.stages.find(({ stage }) => stage === 'page')?.candidatesIn ?? 0) - rows.length
  const unranked = record.stages.some(({ stage, outcome }) => stage === 'rank' && outcome === 'left-out')
  const rankedFresh = columns.ranked?.response.fresh ?? !unranked
  const fresh = context.tokensReflected === true && columns.candidatesFresh && rankedFresh
  return {
    columns,
    rows,
    isLast: left === 0 && columns.sweep.exhausted,
    utilities: columns.utilities ?? columns.retrievalScores,
    ranked: columns.ranked ?? null,
    degradation: unranked
      ? Degradation.RETRIEVAL_ORDER
      : shortfalls.length > 0
        ? Degradation.PARTIAL
        : end === null
          ? Degradation.NONE
          : Degradation.EXHAUSTED,
    // Nothing was left out for the sake of a token: that is told by `freshness`, and here by why.
    reasons: [...shortfalls, ...(end === null ? [] : [end]), ...context.tokenProblems],
    freshness: context.tokensReflected === null ? Freshness.UNSPECIFIED : fresh ? Freshness.CURRENT : Freshness.BEHIND,
    records,
  }
}

/** Why the page holds nothing new, or little; null: it is not at the end. */
function endOf({ shownBefore, sweep }: CandidateColumns, rows: Int32Array): ErrorCode | null {
  if (rows.some((row) => shownBefore[row] === 1)) return 'FEED_ALL_SEEN'
  if (rows.length > 0 || !sweep.exhausted) return null
  return shownBefore.includes(1) ? 'FEED_ALL_SEEN' : 'FEED_NOTHING_ELIGIBLE'
}

function reasonsOf(records: readonly RunRecord[]): string[] {
  const codes = records.flatMap(({ stages }) => stages.filter(counts).map(({ error }) => error as string))
  return [...new Set(codes)]
}

/** Waiting in vain for tokens is told by `freshness`; nothing was left out. */
function counts({ stage, outcome, error }: StageRecord): boolean {
  return outcome !== 'ran' && !(stage === 'await-tokens' && error === 'STAGE_TIMED_OUT')
}

/** The failure of a run; cancellation goes on to the caller. */
function ended(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error
  if (error instanceof PipelineCancelled)
    throw new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: error.cause })
  throw error
}
