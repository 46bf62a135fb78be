import type { PortCall } from '@freshet/contracts/ports/port-call'

/**
 * The outcome of `work`, or the signal's reason as soon as the signal is aborted. The work is not begun where it already
 * is. Work that is under way goes on unseen: `unwanted` is called with what it comes to.
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
