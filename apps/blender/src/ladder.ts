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
import type { Ordered, OrderedColumns } from './ordering/pool.ts'
import type { FeedRequest } from './request.ts'
import type { FreshnessContext } from './hydrators/await-tokens.ts'
import type { ExplorationColumns } from './scorers/explore.ts'
import type { Ranked } from './scorers/ask-ranker.ts'
import type { ScoreColumns } from './scorers/rank.ts'
import type { FallbackRequest, Remembered } from './hydrators/remembered-user.ts'
import type { Turns } from './turns.ts'
import type { UserContext } from './hydrators/user-state.ts'

/** The pins of an answer, with their origin and the reasons. */
export interface Answer {
  readonly columns: CandidateColumns
  /** Rows on the page, best first. */
  readonly rows: Int32Array
  /** Whether this is known to be the last page. */
  readonly isLast: boolean
  readonly utilities: Float32Array
  readonly ranked: Ranked | null
  /** What exploration added to each utility; null: nothing. */
  readonly exploration: Float32Array | null
  /** What the ordering did; null: nothing. */
  readonly ordered: Ordered | null
  readonly degradation: Degradation
  readonly reasons: readonly string[]
  readonly freshness: Freshness
  /** Version of the fold that made the user's state; 0: no state was read. */
  readonly userStateFold: number
  /** Records of all runs in order; the last one made the slate. */
  readonly records: readonly RunRecord[]
}

/** Dependencies of the ladder. */
export interface LadderOptions<Request extends FeedRequest> {
  readonly engine: Engine
  readonly engineClock: EngineClock
  readonly rungs: Rungs<Request>
  readonly turns: Turns
  /** Codes that apply to a request on every rung. */
  readonly notesOn: (request: FeedRequest) => readonly string[]
  readonly config: Pick<BlenderConfig, 'answerReserveMs' | 'maxTimeoutMs'>
}

/** Share of a request's time in which it waits for its turn. */
const shareOfWaiting = 0.7

/** Progress of one request on the ladder. */
interface Descent {
  readonly startMs: number
  readonly totalMs: number
  readonly bound: { readonly signal?: AbortSignal }
  readonly records: RunRecord[]
  /** What a higher rung read about the user; null: nothing. */
  learned: UserContext | null
}

/**
 * Gives the best answer within the deadline: the whole pipeline (in retrieval order if the ranker does not answer), else the
 * user's last good feed, else popular pins from memory, which need no time. Throws CALL_CANCELLED, CALL_DEADLINE_EXCEEDED if
 * no time was left at the start, and the errors that the caller caused (`Rungs.refused`).
 */
export async function answerBest<Request extends FeedRequest>(
  request: Request,
  { timeoutMs, signal }: CallOptions,
  options: LadderOptions<Request>,
): Promise<Answer> {
  if (!(timeoutMs > 0)) throw new ContractError('CALL_DEADLINE_EXCEEDED', 'no time was left to begin the call')
  const descent: Descent = {
    startMs: options.engineClock.nowMs(),
    totalMs: Math.min(timeoutMs, options.config.maxTimeoutMs),
    bound: signal === undefined ? {} : { signal },
    records: [],
    learned: null,
  }
  return (
    (await nextPageRung(request, descent, options)) ??
    (await wholeRung(request, descent, options)) ??
    fallbackRungs(request, descent, options)
  )
}

/** The answer from the reserve of the page session; null: there is none that fits, or it failed. Then the whole pipeline makes the page. */
async function nextPageRung<Request extends FeedRequest>(
  request: Request,
  descent: Descent,
  { engine, rungs, config, notesOn }: LadderOptions<Request>,
): Promise<Answer | null> {
  const nextPage = rungs.nextPage(request)
  if (nextPage === null) return null
  const { totalMs, bound, records } = descent
  try {
    const result = await engine.run(nextPage, request, { ...bound, timeoutMs: totalMs - reserveMsOf(config, totalMs) })
    descent.learned = learnedIn(result.context)
    if (result.rows.length === 0) return null
    records.push(result.record)
    return wholeAnswer(result, records, notesOn(request))
  } catch (error) {
    failureOf(error)
    return null
  }
}

/** The answer of the whole pipeline; null: it failed, a filter that failed removed everything, or a candidate service that is behind found nothing. */
async function wholeRung<Request extends FeedRequest>(
  request: Request,
  descent: Descent,
  { engine, engineClock, rungs, turns, config, notesOn }: LadderOptions<Request>,
): Promise<Answer | null> {
  const { startMs, totalMs, bound, records } = descent
  const leftMs = (): number => totalMs - (engineClock.nowMs() - startMs) - reserveMsOf(config, totalMs)
  // A request that waits for its events has a time limit of its own for that, and must not keep others from their turn.
  const turn = request.awaitsEvents ? null : await turns.take(leftMs() * shareOfWaiting, bound.signal)
  try {
    const learnedRequest = { ...request, learned: descent.learned }
    const timeoutMs = leftMs()
    const result = await engine.run(rungs.whole(request), learnedRequest, { ...bound, timeoutMs })
    records.push(result.record)
    descent.learned = learnedIn(result.context)
    const isClosed = result.record.stages.some(closes)
    // A candidate service that has read only the beginning of the catalogue does not know that nothing is left.
    const isBehind = result.columns.shortfalls.includes('CANDIDATES_BEHIND')
    return result.rows.length === 0 && (isClosed || isBehind) ? null : wholeAnswer(result, records, notesOn(request))
  } catch (error) {
    const failed = failureOf(error)
    const refused = rungs.refused(request, failed.cause)
    if (refused !== null) throw refused
    records.push(failed.record)
    if ('served' in failed.context) descent.learned = learnedIn(failed.context as unknown as UserContext)
    return null
  } finally {
    turn?.end()
  }
}

/** Whether a stage may have removed every candidate because it could not decide. */
function closes({ stage, outcome }: StageRecord): boolean {
  return outcome === 'failed-closed' || (stage === 'page' && outcome === 'left-out')
}

/** What a run read about the user, without the rest of its context. */
function learnedIn({ user, userPosition, served }: UserContext): UserContext {
  return { user, userPosition, served }
}

/** The time that is kept for lower rungs and for sending the answer. */
function reserveMsOf({ answerReserveMs }: Pick<BlenderConfig, 'answerReserveMs'>, totalMs: number): number {
  return Math.min(answerReserveMs, totalMs / 4)
}

/** The answer of the first lower rung that can give one. */
async function fallbackRungs<Request extends FeedRequest>(
  request: Request,
  descent: Descent,
  options: LadderOptions<Request>,
): Promise<Answer> {
  const { engine, engineClock, rungs } = options
  const { records, bound } = descent
  const lastGood = rungs.lastGood(request)
  const below = [
    ...(lastGood === null ? [] : [{ pipeline: lastGood, degradation: Degradation.LAST_GOOD }]),
    { pipeline: rungs.popular, degradation: Degradation.POPULAR },
  ]
  for (const { pipeline, degradation } of below) {
    const timeoutMs = Math.max(1, descent.totalMs - (engineClock.nowMs() - descent.startMs))
    try {
      const result = await engine.run(pipeline, { ...request, learned: descent.learned }, { ...bound, timeoutMs })
      records.push(result.record)
      if (result.rows.length === 0 && degradation === Degradation.LAST_GOOD) continue
      return fallbackAnswer(result, degradation, records, options.notesOn(request))
    } catch (error) {
      records.push(failureOf(error).record)
    }
  }
  throw new ContractError('CALL_INTERNAL', 'the last rung of the ladder failed', { cause: records.at(-1) })
}

function fallbackAnswer(
  { columns, rows, context }: RunResult<FallbackRequest & UserContext & Remembered, CandidateColumns>,
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
    exploration: null,
    ordered: null,
    degradation,
    reasons: [...errorCodes(records), ...notes, ...(isUnknown ? ['FEED_UNKNOWN_USER'] : [])],
    freshness: context.awaitsEvents ? Freshness.BEHIND : Freshness.UNSPECIFIED,
    userStateFold: context.user.foldVersion,
    records,
  }
}

type Whole = RunResult<
  UserContext & FreshnessContext,
  CandidateColumns & Partial<ScoreColumns & ExplorationColumns & OrderedColumns>
>

function wholeAnswer(
  { context, columns, rows, record }: Whole,
  records: readonly RunRecord[],
  notes: readonly string[],
): Answer {
  const shortfalls = [...new Set([...errorCodes(records), ...columns.shortfalls, ...notes])]
  const end = endReason(columns, rows)
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
    exploration: columns.exploration ?? null,
    ordered: columns.ordered ?? null,
    degradation: unranked
      ? Degradation.RETRIEVAL_ORDER
      : shortfalls.length > 0
        ? Degradation.PARTIAL
        : end === null
          ? Degradation.NONE
          : Degradation.EXHAUSTED,
    // `freshness` reports tokens that are not reflected; the reasons say why. They do not degrade the feed.
    reasons: [
      ...shortfalls,
      ...(end === null ? [] : [end]),
      ...context.tokenProblems,
      ...(columns.ranked?.notes ?? []),
    ],
    freshness: context.tokensReflected === null ? Freshness.UNSPECIFIED : fresh ? Freshness.CURRENT : Freshness.BEHIND,
    userStateFold: context.user.foldVersion,
    records,
  }
}

/** Why the feed ends with this page; null: it does not end. */
function endReason({ shownBefore, sweep }: CandidateColumns, rows: Int32Array): ErrorCode | null {
  if (rows.some((row) => shownBefore[row] === 1)) return 'FEED_ALL_SEEN'
  if (rows.length > 0 || !sweep.exhausted) return null
  return shownBefore.includes(1) ? 'FEED_ALL_SEEN' : 'FEED_NOTHING_ELIGIBLE'
}

function errorCodes(records: readonly RunRecord[]): string[] {
  const codes = records.flatMap(({ stages }) => stages.filter(degradesFeed).map(({ error }) => error as string))
  return [...new Set(codes)]
}

/** A timeout while waiting for tokens does not degrade the feed: `freshness` reports it. */
function degradesFeed({ stage, outcome, error }: StageRecord): boolean {
  return outcome !== 'ran' && !(stage === 'await-tokens' && error === 'STAGE_TIMED_OUT')
}

/** Returns the failure of a run. Throws CALL_CANCELLED if the caller ended it. */
function failureOf(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error
  if (error instanceof PipelineCancelled)
    throw new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: error.cause })
  throw error
}
