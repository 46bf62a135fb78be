import { ContractError } from '../errors.ts'

/** No update skips as many versions. A number further ahead is damage. */
const mostVersionsAhead = 64

/**
 * Throws CODEC_NEWER if the layout or fold of a state is newer than this process knows. A reader with other rules than the
 * writer's would compute other features. Throws CODEC_INVALID for a number that no version of this code can have written.
 */
export function refuseNewer(message: string, what: 'layout' | 'fold', found: number, known: number): void {
  if (found <= known) return
  if (found > known + mostVersionsAhead) {
    throw new ContractError(
      'CODEC_INVALID',
      `${message} has ${what} ${found}, which no version writes; known: ${known}`,
    )
  }
  throw new ContractError(
    'CODEC_NEWER',
    `${message} has ${what} ${found}; this version reads up to ${known}: update this process`,
  )
}
