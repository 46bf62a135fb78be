import { ContractError } from '../errors.ts'

/**
 * Throws CODEC_NEWER where state is of a newer layout or fold than this process knows: to read it by other rules than it was
 * folded by would give other features than those of its writer.
 */
export function refuseNewer(message: string, what: 'layout' | 'fold', found: number, known: number): void {
  if (found <= known) return
  throw new ContractError(
    'CODEC_NEWER',
    `freshet.state.v1.${message} has ${what} ${found}; this version reads up to ${known}: update this process`,
  )
}
