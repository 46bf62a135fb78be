import type { Clock } from '@freshet/domain/clock'

/** The system's clock. A sleep of 0 ms lasts one turn of the event loop. */
export function createSystemClock(): Clock {
  return { now: () => Date.now(), sleep }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const wake = () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    if (ms <= 0) {
      setImmediate(wake)
      return
    }
    const timer = setTimeout(wake, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
