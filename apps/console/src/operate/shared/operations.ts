import type { ConsoleConfig } from '../../api/config.ts'
import { callJson, isFailure, type CallOptions, type Failure } from '../../api/http.ts'

type Services = ConsoleConfig['services']

/**
 * Asks the operations servers of the services for a path, one after the other, until one serves it. Rejects with the Failure of
 * the first that says something about the request itself, else with the first Failure.
 */
export async function askOperations<T>(services: Services, path: string, options: CallOptions = {}): Promise<T> {
  let first: Error | null = null
  for (const { name } of services) {
    try {
      return await askOne<T>(name, path, options)
    } catch (thrown) {
      options.signal?.throwIfAborted()
      if (isAboutRequest(thrown)) throw thrown
      if (!isUnknownRoute(thrown)) first ??= thrown as Error
    }
  }
  throw first ?? nobodyServes(services, path)
}

/**
 * Asks the operations servers of all services for a path. Resolves with the answers of those that serve it, in the order of the
 * services; rejects as `askOperations` does if there is none.
 */
export async function askAllOperations<T>(
  services: Services,
  path: string,
  options: CallOptions = {},
): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(services.map(({ name }) => askOne<T>(name, path, options)))
  options.signal?.throwIfAborted()
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  if (answers.length > 0) return answers
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
  throw (
    failures.find(isAboutRequest) ??
    failures.find((failure) => !isUnknownRoute(failure)) ??
    nobodyServes(services, path)
  )
}

/**
 * Asks for the models of the log: the console itself, or where it does not read the log the operations server of a `freshet dev`.
 * `path` begins with `/models`.
 */
export async function askModels<T>(services: Services, path: string, options: CallOptions = {}): Promise<T> {
  try {
    return await callJson<T>(`/api/console/operate${path}`, options)
  } catch (thrown) {
    if (!isFailure(thrown) || thrown.code !== 'CONSOLE_SERVICE_UNKNOWN') throw thrown
    return askOperations<T>(services, `/v1${path}`, options).catch((second: unknown) => {
      throw isFailure(second) && second.code === noService ? thrown : second
    })
  }
}

const noService = 'NO_SERVICE'

function askOne<T>(name: string, path: string, options: CallOptions): Promise<T> {
  return callJson<T>(`/api/operations/${encodeURIComponent(name)}${path}`, options)
}

function isUnknownRoute(thrown: unknown): boolean {
  return isFailure(thrown) && thrown.code === 'ROUTE_UNKNOWN'
}

function isAboutRequest(thrown: unknown): boolean {
  return isFailure(thrown) && thrown.status >= 400 && thrown.status < 500 && !isUnknownRoute(thrown)
}

function nobodyServes(services: Services, path: string): Error & Failure {
  const known =
    services.length === 0
      ? 'The console knows no operations server.'
      : `None of the operations servers that the console knows answers this: ${services.map(({ name }) => name).join(', ')}.`
  const missing = serverOf.find(([pattern]) => pattern.test(path))?.[1]
  const fix =
    missing === undefined ? '' : ` Start it with that of a ${missing}: --operations ${missing}=http://HOST:PORT`
  return Object.assign(new Error(known + fix), { status: 0, code: noService })
}

/** Which service answers what. */
const serverOf: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/users\/.*\/feeds\//, 'blender'],
  [/^\/v1\/users\//, 'feature-updater'],
  [/^\/v1\/pins\//, 'ranker'],
]
