import { badAcceptedPointer } from '@freshet/contracts/scopes'
import { OperationError } from './errors.ts'
import { openPlatform, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** `freshet dlq resume`: halted partitions put aside what is bad in the log by now, and go on; what comes bad afterwards counts again. */
export async function runDlqResume(given: PlatformArguments, terminal: Terminal): Promise<void> {
  return withOpen(openPlatform(given), async ({ store, clock }) => {
    const untilMs = clock.now()
    const { signal } = terminal
    const before = await store.pointer(badAcceptedPointer, { signal })
    if (!(await store.movePointer(badAcceptedPointer, before, String(untilMs), { signal })))
      throw new OperationError(
        'RESUME_RACED',
        'somebody else resumed at the same time; look again whether a partition is halted',
      )
    const who = given.data === undefined ? 'feature-updater goes on within seconds' : 'the next `freshet dev` goes on'
    terminal.write(
      `bad records that the log took until ${new Date(untilMs).toISOString()} halt no partition; ${who} and puts them aside (\`freshet dlq list\`)\n`,
    )
  })
}
