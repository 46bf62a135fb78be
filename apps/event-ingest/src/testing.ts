import { openAccess, type Access } from '@freshet/access/access'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import { silentReport } from '@freshet/service/reporting'
import type { RateLimits } from '@freshet/service/rate-limits'
import type { SourceTags } from '@freshet/service/source-tags'
import { createMetrics } from '@freshet/service/metrics'
import { httpSettings, type HttpLimits } from '@freshet/service/settings'
import type { FastifyInstance } from 'fastify'
import { afterEach } from 'vitest'
import { z } from 'zod'
import { ingestSettings, type IngestConfig } from './config.ts'
import { createConnectors } from './connectors/connectors.ts'
import { createHttpApp } from './http.ts'
import { createIngest, type IngestOptions } from './ingest.ts'

/** The time of the tests: it never changes. */
export const nowMs = Date.UTC(2026, 0, 31, 12)

/** An engagement in JSON; JSON omits fields that are undefined. */
export function anEngagement(parts: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    eventId: 'e1',
    userId: 'u1',
    action: 'click',
    pinId: 'p1',
    occurredAt: new Date(nowMs - 1000).toISOString(),
    ...parts,
  }
}

/** A log in memory. Tests can make its appends fail or wait. */
export interface FaultyLog extends EventLog {
  fail(error: ErrorCode | Error): void
  /** Appends wait until `release`, or until their signal is aborted. */
  hold(): void
  release(): void
}

function makeFaulty(log: EventLog): FaultyLog {
  let failure: Error | null = null
  let gate = Promise.resolve()
  let open: () => void = () => undefined
  return {
    ...log,
    async append(topic, records, options) {
      await Promise.race([gate, rejectOnAbort(options?.signal)])
      if (failure !== null) throw failure
      return log.append(topic, records, options)
    },
    fail(error) {
      failure = typeof error === 'string' ? new ContractError(error, 'broken by the test') : error
    },
    hold() {
      gate = new Promise((resolve) => {
        open = resolve
      })
    },
    release: () => {
      open()
    },
  }
}

/** Rejects with the signal's reason once it is aborted. */
function rejectOnAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** The HTTP server over a log in memory, at the fixed time `nowMs`. */
export async function startIngest(
  options: {
    readonly config?: Partial<IngestConfig>
    readonly limits?: Partial<HttpLimits>
    readonly origins?: readonly string[]
    /** Absent: open. */
    readonly access?: Access
    readonly watched?: Pick<IngestOptions, 'watch' | 'foldProblem'>
    readonly rates?: RateLimits
    readonly sourceTags?: SourceTags
  } = {},
) {
  const memory = createMemoryEventLog({ clock: createVirtualClock(nowMs) })
  await memory.applyTopics(topicLayouts(4))
  const log = makeFaulty(memory)
  const config = { ...z.object(ingestSettings).parse({}), ...options.config }
  const metrics = createMetrics()
  const report = silentReport
  // The time is fixed, but waits are real, because no test advances the clock during a request.
  const clock = { now: () => nowMs, sleep: createSystemClock().sleep }
  const ingest = createIngest({
    log,
    clock,
    config,
    metrics,
    report,
    ...options.watched,
    ...(options.rates && { rates: options.rates }),
    ...(options.sourceTags && { sourceTags: options.sourceTags }),
  })
  const limits = { ...z.object(httpSettings(0)).parse({}), ...options.limits }
  const connectors = createConnectors({ ingest, log, clock, config, metrics, report })
  const app = createHttpApp({
    ingest,
    connectors,
    access: options.access ?? openAccess,
    clock,
    config,
    limits,
    origins: options.origins ?? [],
    metrics,
    report,
  })
  const records = async (topic: TopicName): Promise<readonly LogRecord[]> => {
    const found: LogRecord[] = []
    const reader = await memory.readAll({
      topics: [topic],
      maxBatchRecords: 10_000,
      startAt: () => null,
      onError: (error) => {
        throw error
      },
      onBatch: async (batch) => {
        found.push(...batch.records)
      },
    })
    await memory.drain()
    await reader.stop()
    return found
  }
  return { app, ingest, connectors, log, metrics, records }
}

/** Returns a function that starts ingests. Each ends after its test. */
export function ingestsOfTests(): (more?: Parameters<typeof startIngest>[0]) => ReturnType<typeof startIngest> {
  const apps: FastifyInstance[] = []
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()))
  })
  return async (more = {}) => {
    const started = await startIngest(more)
    apps.push(started.app)
    return started
  }
}
