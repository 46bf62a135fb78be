import { ContractError } from '@freshet/contracts/errors'

/** Bounds the requests that a blender answers at the same time. */
export interface Admission {
  /** Runs `answer` if there is room. Throws CALL_UNAVAILABLE at once if there is none: a queue would only make every answer late. */
  run<Answer>(kind: RequestKind, answer: () => Promise<Answer>): Promise<Answer>
  readonly inFlight: number
}

/** Prefetch: the client asks in advance, and nobody waits for the answer. */
export type RequestKind = 'prefetch' | 'request'

/** Refuses prefetches beyond `maxPrefetchInFlight` requests of both kinds, and all requests beyond `maxInFlight`. */
export function createAdmission({
  maxInFlight,
  maxPrefetchInFlight,
  onShed,
  onEnd,
}: {
  readonly maxInFlight: number
  readonly maxPrefetchInFlight: number
  readonly onShed: (kind: RequestKind) => void
  /** Called at the end of every request. `error`: why there is no answer; null: there is one. */
  readonly onEnd?: (kind: RequestKind, error: unknown) => void
}): Admission {
  const bounds = { prefetch: Math.min(maxPrefetchInFlight, maxInFlight), request: maxInFlight }
  let inFlight = 0

  async function admitted<Answer>(kind: RequestKind, answer: () => Promise<Answer>): Promise<Answer> {
    if (inFlight >= bounds[kind]) {
      onShed(kind)
      const what = kind === 'prefetch' ? 'prefetches are refused while' : 'the blender is overloaded:'
      throw new ContractError('CALL_UNAVAILABLE', `${what} ${inFlight} requests are under way; ask again in a second`)
    }
    inFlight++
    try {
      return await answer()
    } finally {
      inFlight--
    }
  }

  return {
    async run(kind, answer) {
      try {
        const answered = await admitted(kind, answer)
        onEnd?.(kind, null)
        return answered
      } catch (error) {
        onEnd?.(kind, error)
        throw error
      }
    },
    get inFlight() {
      return inFlight
    },
  }
}
