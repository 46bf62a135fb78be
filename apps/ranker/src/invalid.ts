import { ContractError } from '@freshet/contracts/errors'

/** The error for a field of a request that cannot be used: CALL_INVALID_ARGUMENT. */
export function invalid(field: string, problem: string, cause?: unknown): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field} ${problem}`, cause === undefined ? undefined : { cause })
}
