import { status } from '@grpc/grpc-js'
import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { tlsProblemIn } from './tls-problem.ts'

const statusByCode = {
  CALL_DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CALL_CANCELLED: status.CANCELLED,
  CALL_UNAVAILABLE: status.UNAVAILABLE,
  CALL_TLS_FAILED: status.UNAVAILABLE,
  CALL_RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  CALL_INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  HEADERS_TOO_LARGE: status.INVALID_ARGUMENT,
  CODEC_INVALID: status.INVALID_ARGUMENT,
  FEED_MISSING: status.NOT_FOUND,
  USER_ERASED: status.FAILED_PRECONDITION,
  EXPLAIN_SWITCHED_OFF: status.PERMISSION_DENIED,
  CALL_REFUSED: status.PERMISSION_DENIED,
} as const satisfies Partial<Record<ErrorCode, status>>

const codeByStatus: Readonly<Partial<Record<number, ErrorCode>>> = {
  [status.DEADLINE_EXCEEDED]: 'CALL_DEADLINE_EXCEEDED',
  [status.CANCELLED]: 'CALL_CANCELLED',
  [status.UNAVAILABLE]: 'CALL_UNAVAILABLE',
  [status.RESOURCE_EXHAUSTED]: 'CALL_UNAVAILABLE',
  [status.INVALID_ARGUMENT]: 'CALL_INVALID_ARGUMENT',
  [status.NOT_FOUND]: 'FEED_MISSING',
  [status.FAILED_PRECONDITION]: 'USER_ERASED',
  [status.PERMISSION_DENIED]: 'EXPLAIN_SWITCHED_OFF',
}

/** Maps an error to a gRPC status and a message. Errors outside the catalogue become INTERNAL without their message, which may hold private data. */
export function statusOf(error: unknown): { readonly code: status; readonly details: string } {
  if (!isContractError(error)) return { code: status.INTERNAL, details: 'a defect; the log has its trace' }
  const code = (statusByCode as Partial<Record<ErrorCode, status>>)[error.code]
  if (code !== undefined) return { code, details: error.message }
  const unavailable = error.fault === 'dependency'
  return { code: unavailable ? status.UNAVAILABLE : status.INTERNAL, details: `${error.code}: ${error.message}` }
}

/** Maps a gRPC status to an error of the catalogue. */
export function errorOf(code: number, details: string, cause?: unknown): ContractError {
  // Both statuses have other meanings too: only access errors begin like this.
  if (details.startsWith('ACCESS_'))
    return new ContractError(codeByStatus[code] === 'CALL_UNAVAILABLE' ? 'CALL_UNAVAILABLE' : 'CALL_REFUSED', details, {
      cause,
    })
  if (codeByStatus[code] === 'CALL_UNAVAILABLE') return unavailable(details, cause)
  return new ContractError(codeByStatus[code] ?? 'CALL_INTERNAL', details, { cause })
}

/** CALL_UNAVAILABLE, or CALL_TLS_FAILED if TLS is the reason. */
export function unavailable(details: string, cause?: unknown): ContractError {
  const problem = tlsProblemIn(details)
  if (problem !== null) return new ContractError('CALL_TLS_FAILED', problem, { cause })
  // A TLS port closes a connection in the clear without a word. With TLS 1.3, grpc-js also loses why a certificate was refused.
  const hint = /Last error: Failed to connect/.test(details)
    ? '; it closed the connection, as a TLS port may: see tls.caFile, and tls.certFile if it requires certificates of clients'
    : ''
  return new ContractError('CALL_UNAVAILABLE', details + hint, { cause })
}

/** Whether an error is a defect of the service, which the service must log. */
export function isDefect(error: unknown): boolean {
  return statusOf(error).code === status.INTERNAL
}
