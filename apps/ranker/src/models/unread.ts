import { isContractError } from '@freshet/contracts/errors'

/** Whether an artefact could not be read now, and probably can in a moment: the log does not answer, or the ranker stops. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof DOMException && error.name === 'AbortError') return true
  // Without the right to read artefacts the ranker serves what it can; waiting would keep it from being ready.
  return isContractError(error) && error.retryable && !isContractError(error, 'LOG_RIGHTS_MISSING')
}

/** Whether an artefact is not where it should be, but may come: by a trainer that is updated, a topic that is created, a right that is given. */
export function isMissing(error: unknown): boolean {
  const codes = ['ARTEFACT_MISSING', 'LOG_TOPIC_MISSING', 'LOG_RIGHTS_MISSING'] as const
  return codes.some((code) => isContractError(error, code))
}
