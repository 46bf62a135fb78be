import { ServiceError } from './errors.ts'
import type { Logger } from './logging.ts'
import type { InspectionRoute } from './operations-server.ts'
import { logLevels } from './settings.ts'

/** How long a changed level holds, unless the request says otherwise, seconds. */
const defaultForSeconds = 600
const maxForSeconds = 86_400

type LogLevel = (typeof logLevels)[number]

/** What the routes answer. */
interface LevelState {
  /** The level now. */
  readonly level: string
  /** The level of the settings, to which it returns. */
  readonly configured: LogLevel
  /** When it returns, ISO 8601; null: it is the one of the settings. */
  readonly until: string | null
}

/** Routes that show the log level and change it for a while: `PUT /v1/log-level` with `{"level":"debug","forSeconds":600}`. */
export function logLevelRoutes({
  logger,
  configured,
  nowMs,
  after,
}: {
  readonly logger: Pick<Logger, 'level' | 'info' | 'isLevelEnabled'>
  readonly configured: LogLevel
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Calls back after a time, without keeping the process alive. Returns what takes that back. */
  readonly after: (ms: number, then: () => void) => () => void
}): readonly InspectionRoute[] {
  let untilMs: number | null = null
  let takeBack = (): void => undefined

  const state = (): LevelState => ({
    level: logger.level,
    configured,
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
  })
  /** Sets the level and says so, at the old or the new level, so that nobody silences a process without a line. */
  const set = (level: LogLevel, fields: object, message: string): void => {
    const isSeen = logger.isLevelEnabled('info')
    if (isSeen) logger.info(fields, message)
    logger.level = level
    if (!isSeen) logger.info(fields, message)
  }
  const restore = (): void => {
    untilMs = null
    set(configured, { to: configured }, 'the log level is that of the settings again')
  }
  return [
    { path: '/v1/log-level', answer: async () => state() },
    {
      path: '/v1/log-level',
      method: 'PUT',
      async answer(_id, _query, _signal, body) {
        const { level, forSeconds } = readChange(body)
        takeBack()
        untilMs = nowMs() + forSeconds * 1_000
        takeBack = after(forSeconds * 1_000, restore)
        const until = new Date(untilMs).toISOString()
        // Not `level`: that is the level of the line itself.
        set(level, { to: level, configured, until }, 'the log level was changed')
        return state()
      },
    },
  ]
}

function readChange(body: unknown): { readonly level: LogLevel; readonly forSeconds: number } {
  const example = 'send a body like {"level":"debug","forSeconds":600}'
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServiceError('LOG_LEVEL_INVALID', `the body is not an object; ${example}`)
  }
  const { level, forSeconds = defaultForSeconds, ...others } = body as Readonly<Record<string, unknown>>
  const known = logLevels.find((each) => each === level)
  const other = Object.keys(others)[0]
  if (other !== undefined) {
    throw new ServiceError('LOG_LEVEL_INVALID', `${JSON.stringify(other.slice(0, 100))} is not a field; ${example}`)
  }
  if (known === undefined) {
    throw new ServiceError('LOG_LEVEL_INVALID', `level is not one of ${logLevels.join(', ')}; ${example}`)
  }
  if (!Number.isInteger(forSeconds) || Number(forSeconds) < 1 || Number(forSeconds) > maxForSeconds) {
    throw new ServiceError(
      'LOG_LEVEL_INVALID',
      `forSeconds is not a whole number from 1 to ${maxForSeconds}; ${example}`,
    )
  }
  return { level: known, forSeconds: Number(forSeconds) }
}
