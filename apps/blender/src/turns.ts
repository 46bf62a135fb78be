import { ContractError } from '@freshet/contracts/errors'
import type { EngineClock } from '@freshet/pipeline/clock'

/**
 * Lets requests begin the work of a whole feed one after the other. Each stage has a time limit; if all requests began at
 * once, the time in which a stage waits for the others' work would count against its limit.
 *
 * Requests begin in the order in which they came. If the first in line has waited for most of its time, the process is
 * overloaded: then the newest begin first, because they still have time for a complete answer.
 */
export interface Turns {
  /**
   * Resolves when the request may begin, or after `maxWaitMs` in any case. Call `end` of the turn when its work is done.
   * Throws CALL_CANCELLED if the caller ends the call before.
   */
  take(maxWaitMs: number, signal?: AbortSignal): Promise<Turn>
  /** Requests that wait for their turn. */
  readonly waiting: number
}

/** The turn of one request. */
export interface Turn {
  end(): void
}

interface Waiting {
  readonly cameAtMs: number
  readonly maxWaitMs: number
  readonly go: () => void
}

/** From this share of its longest wait on, the first in line counts as late. */
const lateShare = 0.8

/** At most `maxAtOnce` requests work at the same time, and one begins in each turn of the event loop. */
export function createTurns({ clock, maxAtOnce }: { readonly clock: EngineClock; readonly maxAtOnce: number }): Turns {
  const line: Waiting[] = []
  let active = 0
  let hasBegun = false

  // A request that finds no other may begin although the event loop has not turned: nobody is before it.
  const isFree = (): boolean => active === 0 || (!hasBegun && active < maxAtOnce)

  function begin(): Turn {
    active++
    hasBegun = true
    clock.after(0, () => {
      hasBegun = false
      beginNext()
    })
    let ended = false
    return {
      end() {
        if (ended) return
        ended = true
        active--
        beginNext()
      },
    }
  }

  function beginNext(): void {
    const [first] = line
    if (first === undefined || !isFree()) return
    const isLate = clock.nowMs() - first.cameAtMs > lateShare * first.maxWaitMs
    const next = isLate ? line.at(-1) : first
    next?.go()
  }

  function leave(waiting: Waiting): void {
    const at = line.indexOf(waiting)
    if (at >= 0) line.splice(at, 1)
  }

  return {
    take(maxWaitMs, signal) {
      if (line.length === 0 && isFree()) return Promise.resolve(begin())
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          leave(waiting)
          stopTimer()
          signal?.removeEventListener('abort', cancel)
        }
        const cancel = (): void => {
          stop()
          reject(new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: signal?.reason }))
        }
        const waiting: Waiting = {
          cameAtMs: clock.nowMs(),
          maxWaitMs,
          go() {
            stop()
            resolve(begin())
          },
        }
        const stopTimer = clock.after(Math.max(0, maxWaitMs), waiting.go)
        line.push(waiting)
        signal?.addEventListener('abort', cancel, { once: true })
        if (signal?.aborted === true) cancel()
      })
    },
    get waiting() {
      return line.length
    },
  }
}
