import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { ExplainFeedRequest, ExplainFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { AttributeResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { withContributions } from '@freshet/contracts/inspection/contributions'
import { explainServed } from '@freshet/contracts/inspection/explanation'
import { findFeed } from '@freshet/contracts/inspection/find-feed'
import type { Attribution, CallOptions } from '@freshet/contracts/ports/calls'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import type { Outbox } from '../outbox.ts'

/** Where records of feeds are. */
export interface ExplanationPorts {
  readonly log: EventLog
  readonly clock: Clock
  readonly outbox: Pick<Outbox, 'find'>
  readonly ranker: Partial<Attribution>
  /** Whether callers may ask. */
  readonly isOn: boolean
}

/**
 * Why the pins of a served feed are there. A feed that is not written yet is read from the memory of this process, others from the
 * log, within the deadline. Throws EXPLAIN_SWITCHED_OFF, FEED_MISSING with the reason, USER_ERASED, CALL_INVALID_ARGUMENT,
 * CALL_DEADLINE_EXCEEDED.
 */
export async function explainFeed(
  { feedId, pinId }: ExplainFeedRequest,
  call: CallOptions,
  ports: ExplanationPorts,
): Promise<ExplainFeedResponse> {
  if (!ports.isOn)
    throw new ContractError('EXPLAIN_SWITCHED_OFF', 'this blender explains no feeds; see blender.answersExplainFeed')
  const endsAtMs = ports.clock.now() + call.timeoutMs
  checkId('feed_id', feedId)
  if (pinId !== '') checkId('pin_id', pinId)
  const record = ports.outbox.find(feedId) ?? (await recordInLog(feedId, call, ports))
  const answer = explainServed(FeedServed.decode(record), pinId)
  return answer.pins.length === 0 || answer.modelVersion === ''
    ? answer
    : withContributions(answer, await contributionsTo(record, answer, { call, endsAtMs, ...ports }))
}

/** What the ranker says about the pins of an answer. If it does not answer in half of the time that is left, the answer goes without. */
async function contributionsTo(
  feedServed: Uint8Array,
  { pins }: ExplainFeedResponse,
  {
    ranker: { attribute },
    clock,
    call,
    endsAtMs,
  }: Pick<ExplanationPorts, 'ranker' | 'clock'> & { readonly call: CallOptions; readonly endsAtMs: number },
): Promise<AttributeResponse> {
  const problem = (text: string) => AttributeResponse.fromPartial({ problem: text })
  if (attribute === undefined) return problem('this ranker does not attribute scores to features')
  try {
    const pinIds = pins.map((pin) => pin.pinId)
    // A clock that is set back must not add time.
    const leftMs = Math.min(call.timeoutMs, Math.max(1, endsAtMs - clock.now()))
    return await attribute({ feedServed, pinIds }, { ...call, timeoutMs: leftMs / 2 })
  } catch (error) {
    return problem(`the ranker did not answer: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function recordInLog(
  feedId: string,
  { timeoutMs, signal }: CallOptions,
  { log, clock }: ExplanationPorts,
): Promise<Uint8Array> {
  const done = new AbortController()
  const late = new AbortController()
  const stops = signal === undefined ? [late.signal] : [late.signal, signal]
  const timer = clock.sleep(timeoutMs, done.signal).then(
    () => late.abort(),
    () => undefined,
  )
  try {
    return await findFeed(feedId, { log, nowMs: clock.now(), signal: AbortSignal.any(stops) })
  } catch (error) {
    if (signal?.aborted === true)
      throw new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: error })
    if (late.signal.aborted)
      throw new ContractError('CALL_DEADLINE_EXCEEDED', `the record of ${feedId} was not found in time`)
    throw isContractError(error) ? error : new ContractError('CALL_INTERNAL', 'a defect', { cause: error })
  } finally {
    done.abort()
    await timer
  }
}

function checkId(field: string, value: string): void {
  const problem = idProblem(value)
  if (problem !== null) throw new ContractError('CALL_INVALID_ARGUMENT', `${field}: ${problem}`)
}
