import { hostname } from 'node:os'
import process from 'node:process'
import { createAccess, type Access } from '@freshet/access/access'
import { setLogger } from '@grpc/grpc-js'
import type { z } from 'zod'
import { commandLine, helpText } from './command-line.ts'
import { loadConfig, redactConfig } from './config.ts'
import { endingOf, exitCodes, ServiceError } from './errors.ts'
import { version as freshetVersion } from '@freshet/domain/version'
import { logLevelRoutes } from './log-level.ts'
import { createLogger, type Logger } from './logging.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { startOperationsServer, type InspectionRoute } from './operations-server.ts'
import { createRefusalLog } from './refusal-log.ts'
import { createReporter, type Report } from './reporting.ts'
import type { Tracing } from '@freshet/domain/tracing'
import { createService, serviceStates, type Component, type Health, type Service } from './service.ts'
import type { ServiceConfig } from './settings.ts'
import { openTls, type Tls } from './tls.ts'
import { openTracing } from './tracing/open-tracing.ts'
import { wallClock } from './wall-clock.ts'

/** What a service gets when it starts. */
export interface ServiceContext<Config> {
  readonly name: string
  readonly version: string
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  /** Reports errors that do not end the process. */
  readonly report: Report
  /** Records traces, as `tracing` says. */
  readonly tracing: Tracing
  /** The certificates of the process, for its servers and its calls. */
  readonly tls: Tls
  /** Who may call the process; for its servers. */
  readonly access: Access
  /** Adds a part. Call it right after opening the part. Parts drain and close in reverse order. */
  use(component: Component): void
  /** Where the operations server listens. */
  readonly operationsPort: number
  /** Adds routes to the operations server. */
  inspect(...routes: readonly InspectionRoute[]): void
  /** Whether the service as a whole takes traffic; for `grpcComponent`. */
  readiness(): Health
  /** Ends the process because of an error that the service cannot recover from. */
  fail(error: Error): void
}

/** The description of a service in its `main.ts`. */
export interface RunServiceOptions<Schema extends z.ZodObject> {
  readonly name: string
  /** One sentence for `--help`. */
  readonly description: string
  readonly version?: string
  /** Contains `serviceSettings`. */
  readonly schema: Schema
  /** Settings of earlier versions: dotted path → what replaces it. */
  readonly removed?: Readonly<Record<string, string>>
  /** Opens all parts and passes each to `context.use`. The service is ready when it resolves. */
  readonly start: (context: ServiceContext<z.output<Schema>>) => Promise<void>
}

/** The functions of the process that a service uses. Only tests replace them. */
export interface ProcessPort {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  write(stream: 'stdout' | 'stderr', text: string): void
  exit(code: number): void
  on(event: 'SIGTERM' | 'SIGINT' | 'uncaughtException' | 'unhandledRejection', listener: (value: unknown) => void): void
}

/**
 * Runs a service as a process: configuration (all problems at once, exit code 78), operations server, start, signals.
 * On SIGTERM or SIGINT it reports "not ready", stops intake, finishes, flushes, commits and closes in reverse order. A
 * second signal or the time limit ends it immediately. A failed start or an unhandled error ends the process with one line
 * of text and an exit code of `exitCodes`.
 */
export async function runService<Schema extends z.ZodObject>(
  options: RunServiceOptions<Schema>,
  port: ProcessPort = systemProcess(),
): Promise<void> {
  const version = options.version ?? freshetVersion
  const end = (error: unknown): void => {
    const ending = endingOf(error)
    port.write('stderr', `${options.name}: ${ending.line}\n`)
    port.exit(ending.exitCode)
  }

  let config: z.output<Schema>
  let foreign: readonly string[] = []
  try {
    const asked = commandLine(port.argv)
    if (asked.help) {
      port.write('stdout', helpText(options.name, options.description, options.schema))
      return port.exit(exitCodes.stopped)
    }
    if (asked.version) {
      port.write('stdout', `${options.name} ${version}\n`)
      return port.exit(exitCodes.stopped)
    }
    config = loadConfig(options.schema, {
      env: port.env,
      overrides: asked.settings,
      onForeign: (names) => {
        foreign = names
      },
      ...(asked.file === null ? {} : { file: asked.file }),
      ...(options.removed === undefined ? {} : { removed: options.removed }),
    })
  } catch (error) {
    return end(error)
  }

  const common = config as ServiceConfig
  const logger = createLogger({ name: options.name, level: common.log.level })
  if (foreign.length > 0) logger.warn({ variables: foreign }, 'ignored variables that are not settings of this service')
  // grpc-js would write its own lines to standard error. What matters in them also arrives as errors.
  setLogger({
    error: (...parts: unknown[]) => {
      logger.debug({ part: 'grpc' }, parts.map(String).join(' '))
    },
  })
  const metrics = createMetrics({ runtime: true })
  const report = createReporter({ logger, metrics, clock: { now: () => performance.now() } })
  const service = createService({
    name: options.name,
    stopTimeoutMs: common.stop.timeoutMs,
    onStopError: (component, error) => {
      report(error, { part: component, outcome: 'left-out' })
    },
  })
  showState(service, metrics, logger)
  let ended = false
  const finish = (error: unknown): void => {
    if (ended) return
    ended = true
    end(error)
  }

  const stop = async (why: string, cause: unknown): Promise<void> => {
    logger.info({ why }, 'stopping')
    try {
      await service.stop()
    } catch (error) {
      return finish(cause ?? error)
    }
    if (cause !== null) return finish(cause)
    ended = true
    port.exit(exitCodes.stopped)
  }
  const fail = (error: unknown): void => {
    logger.fatal({ err: error }, 'failed')
    void stop('failed', error)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    port.on(signal, () => {
      if (service.state() === 'draining') {
        finish(new ServiceError('STOP_FORCED', `${signal} again while stopping: the process ended immediately`))
      } else void stop(signal, null)
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    port.on(event, (value) => {
      const detail = value instanceof Error ? value.message : String(value)
      fail(new ServiceError('UNCAUGHT', detail, { cause: value }))
    })
  }

  const levels = { logger, configured: common.log.level, nowMs: () => wallClock.now() }
  const inspections: InspectionRoute[] = [...logLevelRoutes({ ...levels, after: later })]
  try {
    await service.start(async () => {
      const observed = { name: options.name, version, metrics, report }
      const place = { instance: hostname(), config: common.tracing, clock: wallClock }
      const tracing = await openTracing({ ...observed, ...place })
      service.use({ name: 'tracing', close: () => tracing.close() })
      const tls = openTls({ config: common.tls, metrics, report })
      service.use({ name: 'tls', close: async () => tls.close() })
      const onError = (error: unknown): void => report(error, { part: 'access', outcome: 'left-out' })
      const access = await createAccess(common.access, {
        clock: wallClock,
        onError,
        onRefused: createRefusalLog(logger, () => performance.now()),
      })
      service.use({ name: 'access', warning: access.warning, close: async () => access.close() })
      if (access.open) logger.warn(openWarning)
      const operations = await startOperationsServer({
        ...common.operations,
        name: options.name,
        version,
        liveness: () => service.liveness(),
        readiness: () => service.readiness(),
        metrics,
        access,
        config: redactConfig(options.schema, config),
        inspections: () => inspections,
        tls: tls.server('operations'),
      })
      service.use({ name: 'operations', close: () => operations.close() })
      logger.info({ version, operationsPort: operations.port }, 'starting')
      await options.start({
        name: options.name,
        version,
        config,
        logger,
        metrics,
        report,
        tracing,
        tls,
        access,
        operationsPort: operations.port,
        use: (component) => {
          service.use(component)
        },
        inspect: (...routes) => {
          inspections.push(...routes)
        },
        readiness: () => service.readiness(),
        fail,
      })
    })
  } catch (error) {
    finish(error)
  }
}

/** Calls back after a time, unless what it returns is called before. A process ends without waiting for it. */
function later(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms).unref()
  return () => clearTimeout(timer)
}

/** A process that is open says so, and how to close it. */
const openWarning =
  'the process is open: it has no keys, so whoever reaches it may make every call. Create keys by `npx freshet keys create` and set access.keysFile to close it'

function showState(service: Service, metrics: Metrics, logger: Logger): void {
  const gauge = metrics.gauge('freshet_service_state')
  const show = (): void => {
    for (const state of serviceStates) gauge.set({ state }, state === service.state() ? 1 : 0)
  }
  show()
  const ready = metrics.gauge('freshet_service_ready')
  metrics.beforeScrape(() => ready.set(service.readiness().ok ? 1 : 0))
  service.onState((state) => {
    show()
    logger.info({ state }, state)
  })
}

/** The current process; `argv`: the arguments for its service. */
export function systemProcess(argv: readonly string[] = process.argv.slice(2)): ProcessPort {
  return {
    argv,
    env: process.env,
    write: (stream, text) => {
      process[stream].write(text)
    },
    exit: (code) => process.exit(code),
    on: (event, listener) => {
      process.on(event, listener)
    },
  }
}
