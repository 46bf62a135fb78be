import type { Clock } from '@freshet/domain/clock'

/** Does some work at intervals until the signal is aborted, one after the other. Reports errors of the work and goes on. */
export async function every(
  intervalMs: number,
  work: () => Promise<void>,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly onError: (error: Error) => void },
): Promise<void> {
  const { clock, signal, onError } = options
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => undefined)
    if (signal.aborted) return
    await work().catch((error: unknown) => {
      // What fails because the job stops is not an error.
      if (!signal.aborted) onError(error as Error)
    })
  }
}
