import { ContractError } from '@freshet/contracts/errors'
import type { RankPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { idProblem } from '@freshet/domain/ids'
import { unservedRequest, type FeedRequest, type RequestBounds } from '../request.ts'

/** The most pins that a request may ask to rank. */
export const maxRankedPins = 2_000

/** A checked request to rank a list. */
export interface ListRequest extends FeedRequest {
  /** The pins, each once, in the order of the caller. */
  readonly list: readonly string[]
}

/** Checks a request to rank a list. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function rankPinsRequest(message: RankPinsRequest, bounds: RequestBounds): ListRequest {
  checkPinIds(message.pinIds, maxRankedPins)
  return { ...unservedRequest(message, bounds), list: [...new Set(message.pinIds)] }
}

/** Checks a list of pins. Throws CALL_INVALID_ARGUMENT, naming the field, the number and the limit. */
export function checkPinIds(pinIds: readonly string[], max: number): void {
  if (pinIds.length > max)
    throw new ContractError(
      'CALL_INVALID_ARGUMENT',
      `pin_ids: holds ${pinIds.length} entries; at most ${max} are allowed`,
    )
  for (const [at, pinId] of pinIds.entries()) {
    const problem = idProblem(pinId)
    if (problem !== null) throw new ContractError('CALL_INVALID_ARGUMENT', `pin_ids[${at}]: ${problem}`)
  }
}
