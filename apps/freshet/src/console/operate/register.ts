import type { CallRule } from '@freshet/access/rules'
import { AccessError } from '@freshet/access/errors'
import { CodedError } from '@freshet/domain/coded-error'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ConsoleError, errorAnswer } from '../errors.ts'
import { createImports } from './import/routes.ts'
import { deadLetterAt, deadLetterList, replayMatching, type DeadLetterPorts } from './dead-letters.ts'
import { readExperimentsView } from './experiments.ts'
import { flowOfFeed, flowsByKind, meteredPipelines } from './pipeline.ts'
import { addModels } from './models.ts'
import { noLog, type OperatePorts } from './ports.ts'
import { readRecentFeeds } from './recent-feeds.ts'
import { askServices, readSeries } from './services.ts'
import { readSources, sourceCosts } from './sources.ts'
import { feedServed } from '@freshet/contracts/inspection/served'

/** The rule of every call of the operator's side. */
const operateRule: CallRule<never> = { rule: 'admin' }

/** How long a call may read the log. */
const timeoutMs = 30_000
/** What the pipeline's mean is computed from. */
const pipelineFeeds = 200
const sourcesFeeds = 2_000
const experimentFeeds = 20_000
/** Actions within this time after a feed count. */
const windowMs = 3_600_000
const dayMs = 86_400_000

const letterQuery = z.strictObject({
  topic: z.string().max(300).optional(),
  code: z.string().max(100).optional(),
  key: z.string().max(200).optional(),
})
const replayBody = letterQuery.extend({ dryRun: z.boolean() })
const sourcesQuery = z.strictObject({
  hours: z.coerce
    .number()
    .min(0.1)
    .max(24 * 31)
    .default(24),
})
const feedQuery = z.strictObject({ user: z.string().min(1).max(200), feed: z.string().max(200).optional() })

/** Adds the routes of the operator's side, all under `/api/console/operate`. Returns what stops imports that are under way. */
export function registerOperate(app: FastifyInstance, ports: OperatePorts): { close(): Promise<void> } {
  const imports = createImports(ports)
  void app.register(
    (scope, _options, done) => {
      answerErrors(scope)
      addRoutes(scope, ports)
      imports.addTo(scope)
      done()
    },
    { prefix: '/api/console/operate' },
  )
  return { close: () => imports.close() }
}

function addRoutes(app: FastifyInstance, ports: OperatePorts): void {
  const { clock, services, connections, onError } = ports
  const config = { access: operateRule }
  const limit = (): AbortSignal => AbortSignal.timeout(timeoutMs)
  const allSeries = async () =>
    (await Promise.all(services.map((each) => readSeries(each, connections)))).flatMap((series) => series ?? [])
  const letters = (): DeadLetterPorts => ({ log: logOf(ports), clock, onError })

  app.get('/services', { config }, async () => ({
    atMs: clock.now(),
    services: await askServices(services, connections),
  }))

  app.get('/pipeline', { config }, async () => {
    const { log } = ports
    const recent =
      log === null ? null : await readRecentFeeds({ log, maxFeeds: pipelineFeeds, onError, signal: limit() })
    return {
      recent:
        recent === null
          ? null
          : {
              feeds: recent.length,
              fromMs: recent.at(-1)?.atMs ?? null,
              toMs: recent[0]?.atMs ?? null,
              kinds: flowsByKind(recent),
              /** Users to pick, the newest first. */
              users: [...new Set(recent.map(({ userId }) => userId))].filter((user) => user !== '').slice(0, 20),
            },
      metered: meteredPipelines(await allSeries()),
    }
  })

  app.get('/pipeline/feed', { config }, async ({ query }) => {
    const { user, feed = null } = feedQuery.parse(query)
    const served = await feedServed(logOf(ports), user, feed, { signal: limit() })
    const { feedId, userId, atMs, pinIds, degradation, stages } = served
    return { feedId, userId, atMs, pins: pinIds.length, degradation, stages: flowOfFeed(stages) }
  })

  app.get('/sources', { config }, async ({ query }) => {
    const { hours } = sourcesQuery.parse(query)
    const { log } = ports
    const sinceMs = clock.now() - hours * 3_600_000
    const [shares, series] = await Promise.all([
      log === null ? null : readSources({ log, sinceMs, maxFeeds: sourcesFeeds, windowMs, onError, signal: limit() }),
      allSeries(),
    ])
    return { shares, costs: sourceCosts(series) }
  })

  app.get('/experiments', { config }, () =>
    readExperimentsView({
      ...{ log: ports.log, file: ports.experimentsFile, blender: ports.blender },
      ...{ maxFeeds: experimentFeeds, windowMs: dayMs, onError, signal: limit() },
    }),
  )

  addModels(app, ports, config, limit)

  app.get('/dead-letters', { config }, ({ query }) =>
    deadLetterList(letters(), present(letterQuery.parse(query)), limit()),
  )
  app.get<{ Params: { topic: string; partition: string; position: string } }>(
    '/dead-letters/:topic/:partition/:position',
    { config },
    ({ params: { topic, partition, position } }) =>
      deadLetterAt(letters(), { topic, partition: Number(partition), position: Number(position) }),
  )
  app.post('/dead-letters/replay', { config }, ({ body }) => {
    const { dryRun, ...query } = replayBody.parse(body)
    return replayMatching({ ...letters(), foreign: ports.foreign }, present(query), { dryRun, signal: limit() })
  })
}

function logOf({ log }: OperatePorts) {
  if (log !== null) return log
  throw noLog()
}

/** Without fields that are undefined. */
function present<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== '')) as never
}

/** Answers errors of these routes as `{"error": {"code", "message"}}`. */
function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof AccessError)
      return reply.code(error.httpStatus).send({ error: { code: error.code, message: error.message } })
    if (error instanceof ConsoleError) return reply.code(error.httpStatus).send(errorAnswer(error))
    if (error instanceof z.ZodError) {
      const message = error.issues
        .map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`)
        .join('; ')
      return reply.code(400).send({ error: { code: 'CALL_INVALID_ARGUMENT', message } })
    }
    if (error instanceof CodedError) {
      const { fault, code, message } = error as CodedError
      const status = { client: 400, dependency: 503, server: 500 }[fault]
      return reply.code(status).send({ error: { code, message } })
    }
    if (error instanceof Error && error.name === 'TimeoutError')
      return reply
        .code(503)
        .send({ error: { code: 'CALL_DEADLINE_EXCEEDED', message: 'reading the log took too long' } })
    throw error
  })
}
