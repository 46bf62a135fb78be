import { badAcceptedPointer } from '@freshet/contracts/scopes'
import { OperationError } from './errors.ts'
import { openPlatform, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** `freshet dlq resume`: halted partitions store the bad records that are in the log now as dead letters and continue. Later bad records can halt a partition again. */
export async function runDlqResume(given: PlatformArguments, terminal: Terminal): Promise<void> {
  return withOpen(openPlatform(given), async ({ store, clock }) => {
    const untilMs = clock.now()
    const { signal } = terminal
    const before = await store.pointer(badAcceptedPointer, { signal })
    if (!(await store.movePointer(badAcceptedPointer, before, String(untilMs), { signal })))
      throw new OperationError(
        'RESUME_RACED',
        'somebody else resumed at the same time; check on /readyz whether a partition is still halted',
      )
    const who =
      given.data === undefined ? 'feature-updater continues within seconds' : 'the next `freshet dev` continues'
    terminal.write(
      `bad records from before ${new Date(untilMs).toISOString()} no longer halt partitions; ${who} and stores them as dead letters (\`freshet dlq list\`)\n`,
    )
  })
}
