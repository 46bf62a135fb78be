import type { Clock } from '@freshet/domain/clock'

/** Work that a job does at intervals. */
export type Chore = readonly [intervalMs: number, work: () => Promise<void>]

/** Where chores run. */
interface ChoreOptions {
  readonly clock: Clock
  /** Aborted when the job stops. */
  readonly signal: AbortSignal
  readonly onError: (error: Error) => void
}

/** Does each chore at its interval until the job stops, then resolves. Reports errors of the work and goes on. */
export async function doChores(chores: readonly Chore[], options: ChoreOptions): Promise<void> {
  await Promise.all(chores.map((chore) => doChore(chore, options)))
}

async function doChore([intervalMs, work]: Chore, { clock, signal, onError }: ChoreOptions): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => undefined)
    if (signal.aborted) return
    await work().catch((error: unknown) => {
      // What fails because the job stops is not an error.
      if (!signal.aborted) onError(error as Error)
    })
  }
}
