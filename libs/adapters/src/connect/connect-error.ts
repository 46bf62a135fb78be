import type { AccessError } from '@freshet/access/errors'
import { ContractError, isContractError, type ErrorCode } from '@freshet/contracts/errors'
import { errorInfoBytes } from '@freshet/contracts/bytes/error-info'

/** More about an error. `value`: the bytes of the message `type` in base64; `debug`: the same as JSON. */
export interface ConnectDetail {
  readonly type: string
  readonly value: string
  readonly debug: object
}

/** An error as the Connect protocol answers it. */
export interface ConnectFailure {
  /** HTTP status. */
  readonly status: number
  /** The JSON body. */
  readonly body: {
    readonly code: string
    readonly message: string
    readonly details: readonly ConnectDetail[]
  }
}

const unavailable = { code: 'unavailable', status: 503 }
const invalid = { code: 'invalid_argument', status: 400 }

/** The Connect code and the HTTP status of our codes: https://connectrpc.com/docs/protocol#error-codes. */
const connectCodes: Readonly<Partial<Record<ErrorCode, { readonly code: string; readonly status: number }>>> = {
  CALL_INVALID_ARGUMENT: invalid,
  HEADERS_TOO_LARGE: invalid,
  CODEC_INVALID: invalid,
  CALL_DEADLINE_EXCEEDED: { code: 'deadline_exceeded', status: 504 },
  CALL_RATE_LIMITED: { code: 'resource_exhausted', status: 429 },
  CALL_CANCELLED: { code: 'canceled', status: 499 },
  CALL_UNAVAILABLE: unavailable,
  FEED_MISSING: { code: 'not_found', status: 404 },
  EXPLAIN_SWITCHED_OFF: { code: 'permission_denied', status: 403 },
  USER_ERASED: { code: 'failed_precondition', status: 400 },
}

/** The answer to an error. Errors outside the catalogue become `internal` without their message, which may hold private data. */
export function connectFailure(error: unknown): ConnectFailure {
  const known = isContractError(error) ? error : new ContractError('CALL_INTERNAL', 'a defect; the log has its trace')
  const fallback = known.fault === 'dependency' ? unavailable : { code: 'internal', status: 500 }
  const { code, status } = connectCodes[known.code] ?? fallback
  const details = [detailOf(known.code, { retryable: String(known.retryable) })]
  return { status, body: { code, message: known.message, details } }
}

const accessCodes = { 401: 'unauthenticated', 403: 'permission_denied', 500: 'internal', 503: 'unavailable' } as const

/** The answer to a caller who may not make a call. */
export function accessFailure({ code, httpStatus, message, retryable }: AccessError): ConnectFailure {
  const details = [detailOf(code, { retryable: String(retryable) })]
  return { status: httpStatus, body: { code: accessCodes[httpStatus], message, details } }
}

/** A detail of an error: a `google.rpc.ErrorInfo` with a code of the error catalogue. */
export function detailOf(reason: string, metadata: Readonly<Record<string, string>>): ConnectDetail {
  const info = { reason, domain: 'freshet', metadata }
  const value = Buffer.from(errorInfoBytes(info)).toString('base64').replace(/=+$/, '')
  return { type: 'google.rpc.ErrorInfo', value, debug: info }
}
