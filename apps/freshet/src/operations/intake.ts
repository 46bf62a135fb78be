import { createSystemClock } from '@freshet/adapters/system/clock'
import type { Clock } from '@freshet/domain/clock'
import { ArgumentError, isWebUrl } from '../arguments.ts'
import { OperationError } from './errors.ts'
import type { Fetched, Fetching } from './fetching.ts'
import { keyHeaders, refusedKey } from './sent-key.ts'

export type EventKind = 'pins' | 'engagements'

/** The result for an event: a token, or a problem. */
export interface Receipt {
  readonly token?: string
  readonly code?: string
  readonly field?: string
  readonly message?: string
}

/** A destination of events. */
export interface Intake {
  readonly clock: Clock
  /** Resolves to receipts in the order of the events, or to a refusal of all of them that a later try may overcome. */
  post(kind: EventKind, events: readonly unknown[]): Promise<readonly Receipt[] | RefusedForNow>
  close(): Promise<void>
}

/** The destination accepted nothing; try again after `waitMs`. */
export interface RefusedForNow {
  readonly why: string
  readonly waitMs: number
}

/** How long to retry while the destination accepts nothing. */
const patienceMs = 120_000

/** Posts events again until the destination accepts them. Throws TARGET_UNREACHABLE after two minutes. */
export async function postUntilAccepted(
  intake: Intake,
  kind: EventKind,
  events: readonly { readonly value: unknown; readonly place: string }[],
  signal: AbortSignal,
): Promise<readonly Receipt[]> {
  const values = events.map(({ value }) => value)
  let waitedMs = 0
  for (;;) {
    signal.throwIfAborted()
    const answer = await intake.post(kind, values)
    if (!('why' in answer)) return answer
    if (waitedMs >= patienceMs)
      throw new OperationError(
        'TARGET_UNREACHABLE',
        `${answer.why}; gave up after ${patienceMs / 1000} s at ${events[0]?.place}`,
      )
    waitedMs += answer.waitMs
    await intake.clock.sleep(answer.waitMs, signal)
  }
}

/**
 * Posts to a running event-ingest by `fetching`, with the key that commands send or with `keys`. Throws an ArgumentError if `target` is not
 * a URL.
 */
export function openHttpIntake(
  target: string,
  keys: Readonly<Record<string, string>> = keyHeaders(),
  fetching: Fetching = fetch,
): Intake {
  if (!isWebUrl(target)) throw new ArgumentError(`--target is ${target}; give a URL such as http://localhost:8080`)
  const endpoint = (kind: EventKind): URL => new URL(`/v1/${kind}`, target)
  const headers = { 'content-type': 'application/json', ...keys }
  let reached = false
  return {
    clock: createSystemClock(),
    async post(kind, events) {
      let response: Fetched
      let answer: { readonly receipts?: readonly Receipt[]; readonly error?: Receipt }
      try {
        response = await fetching(endpoint(kind), {
          method: 'POST',
          headers,
          body: JSON.stringify({ [kind]: events }),
        })
        answer = (await response.json()) as typeof answer
      } catch (error) {
        const { cause, message } = error as Error
        const why = `${target} does not answer: ${cause instanceof Error && cause.message !== '' ? cause.message : message}`
        if (!reached) throw new OperationError('TARGET_UNREACHABLE', why, { cause: error })
        return { why, waitMs: 1000 }
      }
      reached = true
      if (answer.receipts !== undefined) return answer.receipts
      const why = `${target} answers ${response.status} ${answer.error?.code ?? ''}: ${answer.error?.message ?? ''}`
      if (answer.error?.code?.startsWith('ACCESS_') === true && response.status !== 503) throw refusedKey(why)
      if (response.status !== 503 && response.status !== 429) throw new OperationError('TARGET_UNREACHABLE', why)
      return { why, waitMs: Math.max(1, Number(response.headers.get('retry-after') ?? 1)) * 1000 }
    },
    close: () => Promise.resolve(),
  }
}
