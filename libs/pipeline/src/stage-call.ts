import type { EngineClock } from './clock.ts'
import { StageError } from './stage-error.ts'
import type { Budget, StageCall } from './stage.ts'

/** The time limit of a run, and a signal that can end it earlier. */
export interface RunCall {
  /** Milliseconds from the start of the run. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Limits the time of the stages of one run. */
export interface StageCalls {
  /** Begins the call of a stage that starts at `nowMs`. Throws STAGE_TIMED_OUT if its budget has no time left. */
  begin(stage: string, budget: Budget | undefined, nowMs: number): EndableCall
  /** Waits for the answer of a stage within its time and passes it to `take`. Throws what the stage throws, or STAGE_TIMED_OUT. */
  wait<Answer, Out>(
    stage: string,
    call: EndableCall,
    answer: Promise<Answer>,
    take: (answer: Answer) => Out,
  ): Promise<Out>
  /** Stops listening to the run's signal. */
  close(): void
}

/** Calls for a run that began at `startMs`. All stages share one listener on the run's signal. */
export function createStageCalls(clock: EngineClock, run: RunCall, startMs: number): StageCalls {
  const { signal } = run
  let cancelStage: ((reason: unknown) => void) | null = null
  const onAbort = () => cancelStage?.(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })

  return {
    begin(stage, budget, nowMs) {
      const leftMs = startMs + run.timeoutMs - nowMs
      if (budget === undefined) return new Call(leftMs)
      const timeoutMs = Math.min(budget.ms, leftMs * budget.share)
      if (timeoutMs > 0) return new Call(timeoutMs)
      throw tooLate(stage)
    },
    wait(stage, call, answer, take) {
      const { timeoutMs } = call
      // A stage without a budget was called even then: the engine uses a synchronous answer.
      if (!(timeoutMs > 0)) {
        answer.catch(() => undefined)
        const error = tooLate(stage)
        call.abort(error)
        throw error
      }
      return new Promise((resolve, reject) => {
        const end = () => {
          takeBack()
          cancelStage = null
        }
        const takeBack = clock.after(timeoutMs, () => {
          const error = new StageError('STAGE_TIMED_OUT', `${stage} took more than ${timeoutMs.toFixed(0)} ms`)
          end()
          call.abort(error)
          reject(error)
        })
        cancelStage = (reason) => {
          end()
          call.abort(reason)
          reject(asError(reason))
        }
        if (signal?.aborted) cancelStage(signal.reason)
        answer.then(
          (value) => {
            if (call.over) return
            end()
            try {
              resolve(take(value))
            } catch (error) {
              reject(asError(error))
            }
          },
          (error: unknown) => {
            if (call.over) return
            end()
            reject(asError(error))
          },
        )
      })
    },
    close() {
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** A call that the engine can end. */
export interface EndableCall extends StageCall {
  abort(reason: unknown): void
  /** Aborted. */
  readonly over: boolean
}

/** Creates the signal only when a stage reads it, because most stages answer synchronously. */
class Call implements EndableCall {
  readonly timeoutMs: number
  #controller: AbortController | null = null
  #reason: unknown
  over = false

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.over) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.over = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}

function tooLate(stage: string): StageError {
  return new StageError('STAGE_TIMED_OUT', `${stage} had no time left`)
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('a value that is not an Error was thrown', { cause: thrown })
}
