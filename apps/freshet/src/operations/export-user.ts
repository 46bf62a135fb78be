import { pseudonymsOf, pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import { exportUser } from '@freshet/contracts/inspection/export-user'
import { idProblem } from '@freshet/domain/ids'
import { ArgumentError } from '../arguments.ts'
import { openPlatform, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** `freshet users export ID`: prints everything that is held on the user as JSON lines, `{"from": …, "held": …}`. */
export async function runUsersExport(userId: string, given: PlatformArguments, terminal: Terminal): Promise<void> {
  const problem = idProblem(userId)
  if (problem !== null) throw new ArgumentError(`the user id ${problem}`)
  return withOpen(openPlatform(given), async ({ log, store, clock }) => {
    let lines = 0
    await exportUser(
      userId,
      {
        log,
        store,
        clock,
        signal: terminal.signal,
        onTopic: (topic, records) => void terminal.progress.write(`${topic}: ${records} records\n`),
      },
      (held) => {
        lines++
        terminal.write(`${JSON.stringify(held)}\n`)
      },
    )
    terminal.progress.write(`${lines} lines in all\n`)
  })
}

/** `freshet users pseudonym ID`: prints the id under which the user is stored, for the other commands. */
export function runUsersPseudonym(userId: string, secretFile: string): Promise<void> {
  const parsed = pseudonymsSchema.safeParse({ secretFile })
  if (!parsed.success)
    throw new ArgumentError(`--secret-file ${parsed.error.issues.map(({ message }) => message).join('; ')}`)
  console.log(pseudonymsOf(parsed.data)(userId))
  return Promise.resolve()
}
