import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { asId, idProblem, type UserId } from '@freshet/domain/ids'
import { ArgumentError } from '../arguments.ts'
import { openLog, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** `freshet users erase ID`: erases the user and all events until now, permanently. Rebuilds and replays respect the erasure too. */
export async function runUsersErase(userId: string, given: PlatformArguments, terminal: Terminal): Promise<void> {
  const problem = idProblem(userId)
  if (problem !== null) throw new ArgumentError(`the user id ${problem}`)
  return withOpen(openLog(given), async ({ log, clock }) => {
    const erasedAtMs = clock.now()
    const value = encodeUserErasure({ userId: asId<UserId>(userId), erasedAtMs })
    await log.append('erasures.v1', [{ key: userId, value, partition: null }], { signal: terminal.signal })
    const when = given.data === undefined ? 'feature-updater removes it now' : 'the next `freshet dev` removes it'
    terminal.write(`erased: ${userId} and all events until ${new Date(erasedAtMs).toISOString()}; ${when}\n`)
  })
}
