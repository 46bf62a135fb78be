import { openAccess } from '@freshet/access/access'
import { describe, expect, it } from 'vitest'
import { logLevelRoutes } from './log-level.ts'
import { createLogger } from './logging.ts'
import { createMetrics } from './metrics.ts'
import { createOperationsApp } from './operations-server.ts'

function aProcess() {
  const lines: string[] = []
  const logger = createLogger({ name: 'demo', level: 'warn', destination: { write: (line) => void lines.push(line) } })
  const timers: { readonly ms: number; readonly then: () => void; isTakenBack: boolean }[] = []
  const routes = logLevelRoutes({
    logger,
    configured: 'warn',
    nowMs: () => Date.UTC(2026, 0, 1),
    after(ms, then) {
      const timer = { ms, then, isTakenBack: false }
      timers.push(timer)
      return () => {
        timer.isTakenBack = true
      }
    },
  })
  const healthy = () => ({ state: 'ready' as const, ok: true, reasons: [] })
  const app = createOperationsApp({
    ...{ access: openAccess, name: 'demo', version: '1', liveness: healthy, readiness: healthy, config: {} },
    metrics: createMetrics(),
    inspections: () => routes,
  })
  const put = (payload: object | string) =>
    app.inject({ method: 'PUT', url: '/v1/log-level', headers: { 'content-type': 'application/json' }, payload })
  return { app, put, logger, lines, timers }
}

describe('PUT /v1/log-level', () => {
  it('changes the level for a while, and then it is that of the settings', async () => {
    const { app, put, logger, lines, timers } = aProcess()
    logger.debug('before')
    const answer = await put({ level: 'debug', forSeconds: 60 })
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { level: 'debug', configured: 'warn', until: '2026-01-01T00:01:00.000Z' },
    ])
    logger.debug('during')
    expect((await app.inject({ url: '/v1/log-level' })).json()).toMatchObject({ level: 'debug' })
    expect(timers.map(({ ms }) => ms)).toEqual([60_000])
    timers[0]!.then()
    logger.debug('after')
    expect((await app.inject({ url: '/v1/log-level' })).json()).toEqual({
      ...{ level: 'warn', configured: 'warn', until: null },
    })
    expect(lines.join('')).toContain('during')
    expect(lines.join('')).not.toMatch(/before|after/)
  })

  it('holds for ten minutes unless told otherwise, and a later change replaces an earlier one', async () => {
    const { put, logger, timers } = aProcess()
    await put({ level: 'debug' })
    await put({ level: 'trace', forSeconds: 5 })
    expect(timers.map(({ ms, isTakenBack }) => [ms, isTakenBack])).toEqual([
      [600_000, true],
      [5_000, false],
    ])
    expect(logger.level).toBe('trace')
  })

  it('leaves a line when it silences a process, and when the process writes again', async () => {
    const { put, logger, lines, timers } = aProcess()
    logger.level = 'info'
    await put({ level: 'silent' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', to: 'silent', until: '2026-01-01T00:10:00.000Z' })
    await put({ level: 'info' })
    timers[1]!.then()
    expect(lines.at(-1)).toContain('the log level is that of the settings again')
  })

  it.each([
    [{ level: 'loud' }, 'level is not one of trace, debug, info'],
    [{}, 'level is not one of'],
    [{ level: 'debug', forSeconds: 0 }, 'forSeconds is not a whole number from 1 to 86400'],
    [{ level: 'debug', forSeconds: 1.5 }, 'forSeconds'],
    [{ level: 'debug', forSeconds: '60' }, 'forSeconds'],
    [{ level: 'debug', seconds: 60 }, '"seconds" is not a field'],
    [[], 'the body is not an object'],
  ])('refuses %j: %s', async (payload, text) => {
    const { put, logger } = aProcess()
    const answer = await put(payload)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: { code: 'LOG_LEVEL_INVALID', message: expect.stringContaining(text) as string } },
    ])
    expect(logger.level).toBe('warn')
  })

  it('refuses what is not JSON, and no body at all', async () => {
    const { app, put } = aProcess()
    expect((await put('{"level":')).statusCode).toBe(400)
    expect((await app.inject({ method: 'PUT', url: '/v1/log-level' })).json()).toMatchObject({
      error: { code: 'LOG_LEVEL_INVALID' },
    })
  })
})
