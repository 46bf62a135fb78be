import { CodedError } from '@freshet/domain/coded-error'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger, type LoggerOptions } from './logging.ts'
import { runInTrace } from './tracing/active-trace.ts'

function aLogger(given: Partial<LoggerOptions> = {}) {
  const written: string[] = []
  const destination = { write: (line: string) => void written.push(line) }
  const logger = createLogger({ name: 'demo', level: 'info', destination, ...given })
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a logger', () => {
  it('writes one JSON object per line, with its name, the level as a word and the time in ISO 8601', () => {
    const lines: string[] = []
    const logger = createLogger({
      name: 'demo',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    })
    logger.debug('not shown')
    logger.warn({ partition: 3 }, 'lost')
    expect(lines).toHaveLength(1)
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    expect(line).toMatchObject({ name: 'demo', level: 'warn', partition: 3, msg: 'lost' })
    expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  it('writes no field of a line into the lines after it', () => {
    const { logger, lines } = aLogger()
    logger.warn({ partition: 3, err: new Error('a failure') }, 'lost')
    logger.warn({ topic: 't' }, 'again')
    logger.info('well')
    const fields = lines().map((line) => Object.keys(line).filter((name) => !['level', 'time', 'name'].includes(name)))
    expect(fields).toEqual([['partition', 'err', 'msg'], ['topic', 'msg'], ['msg']])
  })

  it('names the class and the code of an error, under any field', () => {
    const { logger, lines } = aLogger()
    class LogError extends CodedError {}
    const kind = { fault: 'dependency', retryable: true, meaning: '' } as const
    const error = new LogError('LOG_UNAVAILABLE', kind, 'away', { cause: new RangeError('why') })
    logger.error({ err: error }, 'failed')
    logger.error({ problem: error }, 'failed')
    logger.error(error)
    const shown = { type: 'LogError', code: 'LOG_UNAVAILABLE', message: 'away: why' }
    expect(lines()).toMatchObject([{ err: shown }, { problem: shown }, { err: shown }])
    expect((lines()[0]!['err'] as { readonly stack: string }).stack).toContain('RangeError: why')
  })

  it('adds no ids to lines of a timer that a request began and did not wait for', async () => {
    const { logger, lines } = aLogger()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'
    const ended = Promise.withResolvers<undefined>()
    const begin = (): void => void setTimeout(() => (logger.info('later'), ended.resolve(undefined)), 5)
    await runInTrace({ traceparent }, async () => {
      begin()
      await Promise.resolve()
      logger.info('inside')
    })
    await ended.promise
    const failing = runInTrace({ traceparent }, () => Promise.reject(new Error('failed')))
    await expect(failing).rejects.toThrow('failed')
    runInTrace({ traceparent }, () => logger.info('inside, at once'))
    expect(lines().map((line) => [line['msg'], 'trace_id' in line])).toEqual([
      ['inside', true],
      ['later', false],
      ['inside, at once', true],
    ])
  })

  it('adds the ids of the trace to lines of a request, and to no others', async () => {
    const { logger, lines } = aLogger()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'
    await runInTrace({ traceparent }, async () => {
      await Promise.resolve()
      logger.info('inside')
    })
    logger.info('outside')
    expect(lines()).toMatchObject([
      { msg: 'inside', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' },
      { msg: 'outside' },
    ])
    expect(lines()[1]).not.toHaveProperty('trace_id')
  })
})

describe('repeated lines', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('are written up to the limit, then counted in one line, and written again in the next window', async () => {
    const { logger, lines } = aLogger({ maxSameLines: 3 })
    for (let i = 0; i < 10; i++) logger.warn({ code: 'LOG_UNAVAILABLE', topic: `t${i}` }, 'failed; retrying')
    expect(lines()).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(lines()).toHaveLength(4)
    expect(lines()[3]).toMatchObject({ level: 'warn', code: 'LOG_UNAVAILABLE', msg: 'failed; retrying', repeated: 7 })
    logger.warn({ code: 'LOG_UNAVAILABLE' }, 'failed; retrying')
    expect(lines()).toHaveLength(5)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(lines()).toHaveLength(5)
  })

  it('about one partition do not hide those about another', async () => {
    const { logger, lines } = aLogger({ maxSameLines: 1 })
    for (const partition of [1, 1, 1, 2, 2]) logger.warn({ code: 'LOG_UNAVAILABLE', partition }, 'failed; retrying')
    expect(lines().map(({ partition }) => partition)).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(lines().slice(2)).toMatchObject([
      { partition: 1, repeated: 2 },
      { partition: 2, repeated: 1 },
    ])
  })

  it('are those with the same level, code and message', () => {
    const { logger, lines } = aLogger({ maxSameLines: 1 })
    logger.warn({ code: 'A' }, 'one')
    logger.warn({ code: 'B' }, 'one')
    logger.error({ code: 'A' }, 'one')
    logger.warn({ code: 'A' }, 'two')
    logger.warn('one')
    expect(lines()).toHaveLength(5)
    logger.warn({ code: 'A' }, 'one')
    expect(lines()).toHaveLength(5)
  })

  it('of fatal errors are all written', () => {
    const { logger, lines } = aLogger({ maxSameLines: 1 })
    for (let i = 0; i < 5; i++) logger.fatal({ code: 'UNCAUGHT' }, 'failed')
    expect(lines()).toHaveLength(5)
  })

  it('of a flood of different texts take a bounded memory, and are written', () => {
    const { logger, lines } = aLogger({ maxSameLines: 1 })
    for (let i = 0; i < 3_000; i++) logger.info(`text ${i}`)
    expect(lines()).toHaveLength(3_000)
  })
})
