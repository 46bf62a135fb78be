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
  /** Calls the stage within its budget and passes its answer to `take`. Throws what the stage throws, or STAGE_TIMED_OUT. */
  bounded<Answer, Out>(
    stage: { readonly name: string; readonly budget: Budget | undefined },
    ask: (call: StageCall) => Answer | Promise<Answer>,
    take: (answer: Answer) => Out,
  ): Out | Promise<Out>
  /** Stops listening to the run's signal. */
  close(): void
}

/** Calls for a run that began at `startMs`. All stages share one listener on the run's signal. */
export function createStageCalls(clock: EngineClock, run: RunCall, startMs: number): StageCalls {
  const { signal } = run
  let cancelStage: ((reason: unknown) => void) | null = null
  const onAbort = () => cancelStage?.(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })

  const timeoutOf = (budget: Budget | undefined): number => {
    const leftMs = startMs + run.timeoutMs - clock.nowMs()
    if (budget === undefined) return leftMs
    const sharedMs = leftMs * budget.share
    return Math.min(budget.ms, sharedMs)
  }

  return {
    bounded(stage, ask, take) {
      const timeoutMs = timeoutOf(stage.budget)
      const call = createCall(timeoutMs)
      // A stage without a budget is called even then: the engine uses a synchronous answer.
      const tooLate = timeoutMs > 0 ? null : new StageError('STAGE_TIMED_OUT', `${stage.name} had no time left`)
      if (tooLate !== null && stage.budget !== undefined) throw tooLate
      const answer = ask(call)
      if (!(answer instanceof Promise)) return take(answer)
      if (tooLate !== null) {
        answer.catch(() => undefined)
        call.abort(tooLate)
        throw tooLate
      }
      return new Promise((resolve, reject) => {
        const end = () => {
          takeBack()
          cancelStage = null
        }
        const takeBack = clock.after(timeoutMs, () => {
          const error = new StageError('STAGE_TIMED_OUT', `${stage.name} took more than ${timeoutMs.toFixed(0)} ms`)
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

interface EndableCall extends StageCall {
  abort(reason: unknown): void
  /** Aborted. */
  readonly over: boolean
}

/** Creates the signal only when a stage reads it, because most stages answer synchronously. */
function createCall(timeoutMs: number): EndableCall {
  let controller: AbortController | null = null
  let ended: { readonly reason: unknown } | null = null
  return {
    timeoutMs,
    get signal() {
      if (controller === null) {
        controller = new AbortController()
        if (ended !== null) controller.abort(ended.reason)
      }
      return controller.signal
    },
    abort(reason) {
      ended = { reason }
      controller?.abort(reason)
    },
    get over() {
      return ended !== null
    },
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('a value that is not an Error was thrown', { cause: thrown })
}
