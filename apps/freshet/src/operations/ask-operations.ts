import { ContractError, errorCatalogue } from '@freshet/contracts/errors'
import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '@freshet/ranking/errors'
import { ArgumentError, isWebUrl } from '../arguments.ts'
import { OperationError } from './errors.ts'
import type { Fetched, Fetching } from './fetching.ts'
import { keyHeaders, refusedKey } from './sent-key.ts'

/** How to ask. */
export interface Asking {
  readonly signal: AbortSignal
  /** `PUT` changes something. Default: `GET`. */
  readonly method?: 'GET' | 'PUT'
  /** Headers with a key; default: the key that commands of this process send. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: `fetch`, which trusts the authorities of the system. */
  readonly fetching?: Fetching
}

/** Requests a path from the operations servers of running processes. Returns the answer of the first process that serves the path. Throws the error in that answer, or TARGET_UNREACHABLE if no process answers. */
export async function askOperations(
  urls: string,
  path: string,
  { signal, method = 'GET', headers = keyHeaders(), fetching = fetch }: Asking,
): Promise<unknown> {
  let refusal: Error | null = null
  for (const url of urls.split(',')) {
    if (!isWebUrl(url)) throw new ArgumentError(`--operations is ${url}; give a URL such as http://localhost:9464`)
    let response: Fetched
    let body: { readonly error?: { readonly code: string; readonly message: string } }
    try {
      response = await fetching(new URL(path, url), { signal, method, headers })
      body = (await response.json()) as typeof body
    } catch (error) {
      signal.throwIfAborted()
      const { cause, message } = error as Error
      const why = cause instanceof Error && cause.message !== '' ? cause.message : message
      refusal ??= new OperationError('TARGET_UNREACHABLE', `${url} does not answer: ${why}`, { cause: error })
      continue
    }
    if (response.ok) return body
    const { code = '', message = `${url} answers ${response.status}` } = body.error ?? {}
    if (code.startsWith('ACCESS_')) throw refusedKey(`${url}: ${code}: ${message}`)
    // Another process may serve the path.
    if (code === 'ROUTE_UNKNOWN') refusal ??= new OperationError('TARGET_UNREACHABLE', `${url}: ${message}`)
    else if (Object.hasOwn(errorCatalogue, code)) throw new ContractError(code as keyof typeof errorCatalogue, message)
    else if (isRankingError(code)) throw new CodedError(code, rankingErrorCatalogue[code], message)
    else throw new OperationError('TARGET_UNREACHABLE', `${url}: ${code}: ${message}`)
  }
  throw refusal ?? new ArgumentError('--operations is empty; give a URL such as http://localhost:9464')
}

/** The URL of the first process that serves the path; null: none does. */
export async function findServer(urls: string, path: string, asking: Asking): Promise<string | null> {
  for (const url of urls.split(',')) {
    try {
      await askOperations(url, path, asking)
      return url
    } catch (error) {
      if (!(error instanceof OperationError)) throw error
    }
  }
  return null
}

function isRankingError(code: string): code is keyof typeof rankingErrorCatalogue {
  return Object.hasOwn(rankingErrorCatalogue, code)
}
