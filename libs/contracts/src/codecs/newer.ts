import { ContractError } from '../errors.ts'

/**
 * Throws CODEC_NEWER if the layout or fold of a state is newer than this process knows. A reader with other rules than the
 * writer's would compute other features.
 */
export function refuseNewer(message: string, what: 'layout' | 'fold', found: number, known: number): void {
  if (found <= known) return
  throw new ContractError(
    'CODEC_NEWER',
    `${message} has ${what} ${found}; this version reads up to ${known}: update this process`,
  )
}
