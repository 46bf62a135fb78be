import type { EngineClock } from '@freshet/pipeline/clock'

/**
 * Lets requests begin the work of a whole feed one after the other, in the order in which they came. Each stage has a time
 * limit; if all requests began at once, the time in which a stage waits for the others' work would count against its limit.
 */
export interface Turns {
  /** Resolves when the request may begin, or after `maxWaitMs` in any case. Call `end` of the turn when its work is done. */
  take(maxWaitMs: number): Promise<Turn>
  /** Requests that wait for their turn. */
  readonly waiting: number
}

/** The turn of one request. */
export interface Turn {
  end(): void
}

/** At most `maxAtOnce` requests work at the same time, and one begins in each turn of the event loop. */
export function createTurns({
  clock,
  maxAtOnce,
}: {
  readonly clock: Pick<EngineClock, 'after'>
  readonly maxAtOnce: number
}): Turns {
  const queue = new Set<() => void>()
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
    const [next] = queue
    if (next !== undefined && isFree()) next()
  }

  return {
    take(maxWaitMs) {
      if (queue.size === 0 && isFree()) return Promise.resolve(begin())
      return new Promise((resolve) => {
        const go = (): void => {
          queue.delete(go)
          stopWaiting()
          resolve(begin())
        }
        const stopWaiting = clock.after(Math.max(0, maxWaitMs), go)
        queue.add(go)
      })
    },
    get waiting() {
      return queue.size
    },
  }
}
