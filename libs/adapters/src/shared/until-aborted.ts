import type { PortCall } from '@freshet/contracts/ports/port-call'

/**
 * Runs `work` and settles with its outcome, or rejects with the signal's reason as soon as the signal is aborted. It does not begin the work if the signal already
 * is aborted. Work in progress continues in the background; its result goes to `unwanted`.
 */
export function untilAborted<T>(
  work: () => Promise<T>,
  { signal }: PortCall = {},
  unwanted: (outcome: T) => unknown = () => undefined,
): Promise<T> {
  if (signal === undefined) return work()
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const ending = work()
    ending.then(resolve, reject)
    void ending
      .then(
        (outcome) => signal.aborted && unwanted(outcome),
        () => undefined,
      )
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
