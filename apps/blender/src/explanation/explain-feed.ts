import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { ExplainFeedRequest, ExplainFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { explainServed } from '@freshet/contracts/inspection/explanation'
import { findFeed } from '@freshet/contracts/inspection/find-feed'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import type { Outbox } from '../outbox.ts'

/** Where records of feeds are. */
export interface ExplanationPorts {
  readonly log: EventLog
  readonly clock: Clock
  readonly outbox: Pick<Outbox, 'find'>
}

/**
 * Why the pins of a served feed are there. A feed that is not written yet is read from the memory of this process, others from the
 * log, within the deadline. Throws FEED_MISSING with the reason, USER_ERASED, CALL_INVALID_ARGUMENT, CALL_DEADLINE_EXCEEDED.
 */
export async function explainFeed(
  { feedId, pinId }: ExplainFeedRequest,
  call: CallOptions,
  ports: ExplanationPorts,
): Promise<ExplainFeedResponse> {
  checkId('feed_id', feedId)
  if (pinId !== '') checkId('pin_id', pinId)
  const record = ports.outbox.find(feedId) ?? (await recordInLog(feedId, call, ports))
  return explainServed(FeedServed.decode(record), pinId)
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
