import { ContractError, isContractError } from '@freshet/contracts/errors'
import { asError } from '../shared/as-error.ts'
import { mayPass, speaksTls, tlsProblem } from '../shared/tls/problem.ts'
import { LoginRefused, TlsAlert } from './wire/failures.ts'

/** The broker's name of an error; null: not from a broker. */
export function typeOf(error: unknown): string | null {
  const type = (error as { type?: unknown } | null)?.type
  return typeof type === 'string' ? type : null
}

/** Whether the broker refused because this user lacks a right. */
export function lacksRights(error: unknown): boolean {
  return typeOf(error)?.endsWith('_AUTHORIZATION_FAILED') === true
}

/** Errors after which the same request may succeed at the current leader; this includes all transport errors. */
export function isTransient(error: unknown): boolean {
  const { type, retriable } = asError(error) as { readonly type?: string; readonly retriable?: boolean }
  return type === undefined || retriable === true || type === 'BROKER_NOT_AVAILABLE'
}

/** Turns any failure into an error of the catalogue; failures without a code become LOG_TLS_FAILED where TLS broke off, else LOG_UNAVAILABLE. */
export function unavailable(what: string, cause: unknown): ContractError {
  if (isContractError(cause)) return cause
  if (lacksRights(cause))
    return new ContractError(
      'LOG_RIGHTS_MISSING',
      `${what}: ${asError(cause).message}: see kafka.sasl.username, and \`freshet topics acls\` for its rights`,
      { cause },
    )
  const problem = tlsProblem(asError(cause), 'kafka.tls')
  if (problem !== null) return new ContractError('LOG_TLS_FAILED', `${what}: ${problem}`, { cause })
  return new ContractError('LOG_UNAVAILABLE', `${what}: ${asError(cause).message}`, { cause })
}

/** Turns a failed connection into LOG_LOGIN_REFUSED or LOG_TLS_FAILED if a setting can mend it; otherwise returns the error, which callers retry. */
export function named(where: string, error: unknown): unknown {
  const refused = (code: 'LOG_LOGIN_REFUSED' | 'LOG_TLS_FAILED', text: string) =>
    new ContractError(code, `Kafka (${where}): ${text}`, { cause: error })
  if (error instanceof TlsAlert) return refused('LOG_TLS_FAILED', speaksTls('set kafka.tls.enabled'))
  if (error instanceof LoginRefused) {
    return refused(
      'LOG_LOGIN_REFUSED',
      `${error.message}: see ${error.supported ? 'kafka.sasl.username and kafka.sasl.password' : 'kafka.sasl.mechanism'}`,
    )
  }
  const problem = mayPass(error) ? null : tlsProblem(error, 'kafka.tls')
  return problem === null ? error : refused('LOG_TLS_FAILED', problem)
}
