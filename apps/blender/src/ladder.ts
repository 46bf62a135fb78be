import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import type { EngineClock } from '@freshet/pipeline/clock'
import type { Engine, RunResult } from '@freshet/pipeline/engine'
import { PipelineCancelled, PipelineError } from '@freshet/pipeline/errors'
import type { RunRecord, StageRecord } from '@freshet/pipeline/record'
import type { CandidateColumns } from './candidates.ts'
import type { BlenderConfig } from './config.ts'
import type { Rungs } from './get-feed.ts'
import type { FeedRequest } from './request.ts'
import type { FreshnessContext } from './hydrators/await-tokens.ts'
import type { Ranked, ScoreColumns } from './scorers/rank.ts'
import type { FallbackRequest, Remembered } from './hydrators/remembered-user.ts'
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
export interface LadderOptions<Request extends FeedRequest> {
  readonly engine: Engine
  readonly engineClock: EngineClock
  readonly rungs: Rungs<Request>
  /** Codes of what a request can't have, whatever the rung. */
  readonly notesOn: (request: FeedRequest) => readonly string[]
  readonly config: Pick<BlenderConfig, 'answerReserveMs' | 'maxTimeoutMs'>
}

/** How far an answer has come. */
interface Climb {
  readonly startMs: number
  readonly totalMs: number
  readonly bound: { readonly signal?: AbortSignal }
  readonly records: RunRecord[]
  /** What a higher rung learned of the user; null: nothing. */
  learned: UserContext | null
}

/**
 * The best answer that can be had in time: the whole pipeline (in retrieval order where the ranker is away), else the
 * user's last good feed, else what is popular, which comes from memory and has no time to miss. Throws CALL_CANCELLED,
 * CALL_DEADLINE_EXCEEDED where no time was given, and what the rungs say the caller is to blame for.
 */
export async function answerBest<Request extends FeedRequest>(
  request: Request,
  { timeoutMs, signal }: CallOptions,
  options: LadderOptions<Request>,
): Promise<Answer> {
  if (!(timeoutMs > 0)) throw new ContractError('CALL_DEADLINE_EXCEEDED', 'no time was left to begin the call')
  const climb: Climb = {
    startMs: options.engineClock.nowMs(),
    totalMs: Math.min(timeoutMs, options.config.maxTimeoutMs),
    bound: signal === undefined ? {} : { signal },
    records: [],
    learned: null,
  }
  return (await wholeRung(request, climb, options)) ?? fallbackRungs(request, climb, options)
}

/** The answer of the whole pipeline; null: there is none. */
async function wholeRung<Request extends FeedRequest>(
  request: Request,
  climb: Climb,
  { engine, rungs, config, notesOn }: LadderOptions<Request>,
): Promise<Answer | null> {
  const { totalMs, bound, records } = climb
  const reserveMs = Math.min(config.answerReserveMs, totalMs / 4)
  try {
    const result = await engine.run(rungs.whole(request), request, { ...bound, timeoutMs: totalMs - reserveMs })
    records.push(result.record)
    climb.learned = result.context
    const isClosed = result.record.stages.some(({ outcome }) => outcome === 'failed-closed')
    return result.rows.length === 0 && isClosed ? null : wholeAnswer(result, records, notesOn(request))
  } catch (error) {
    const failed = ended(error)
    const refused = rungs.refused(request, failed.cause)
    if (refused !== null) throw refused
    records.push(failed.record)
    if ('served' in failed.context) climb.learned = failed.context as unknown as UserContext
    return null
  }
}

/** The answer of the first lower rung that has one. */
async function fallbackRungs<Request extends FeedRequest>(
  request: Request,
  climb: Climb,
  options: LadderOptions<Request>,
): Promise<Answer> {
  const { engine, engineClock, rungs } = options
  const { records, bound } = climb
  const lastGood = rungs.lastGood(request)
  const below = [
    ...(lastGood === null ? [] : [{ pipeline: lastGood, degradation: Degradation.LAST_GOOD }]),
    { pipeline: rungs.popular, degradation: Degradation.POPULAR },
  ]
  for (const { pipeline, degradation } of below) {
    const timeoutMs = Math.max(1, climb.totalMs - (engineClock.nowMs() - climb.startMs))
    try {
      const result = await engine.run(pipeline, { ...request, learned: climb.learned }, { ...bound, timeoutMs })
      records.push(result.record)
      if (result.rows.length === 0 && degradation === Degradation.LAST_GOOD) continue
      return fallbackAnswer(result, degradation, records, options.notesOn(request))
    } catch (error) {
      records.push(ended(error).record)
    }
  }
  throw new ContractError('CALL_INTERNAL', 'the last rung of the ladder broke', { cause: records.at(-1) })
}

function fallbackAnswer(
  { columns, rows, context }: RunResult<FallbackRequest & Remembered, CandidateColumns>,
  degradation: Degradation,
  records: readonly RunRecord[],
  notes: readonly string[],
): Answer {
  const isUnknown = context.userId !== '' && !context.remembered
  return {
    columns,
    rows,
    isLast: false,
    utilities: columns.retrievalScores,
    ranked: null,
    degradation,
    reasons: [...reasonsOf(records), ...notes, ...(isUnknown ? ['FEED_UNKNOWN_USER'] : [])],
    freshness: context.awaitsEvents ? Freshness.BEHIND : Freshness.UNSPECIFIED,
    records,
  }
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
