import { createLogger } from './logging.ts'
import { createMetrics } from './metrics.ts'
import { causesOf, createReporter, type ErrorPlace } from './reporting.ts'
import { describe, expect, it } from 'vitest'

function reporting() {
  const lines: Record<string, unknown>[] = []
  const metrics = createMetrics()
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const logger = createLogger({ name: 'demo', level: 'info', destination })
  let nowMs = 0
  const report = createReporter({ logger, metrics, clock: { now: () => nowMs } })
  return { lines, metrics, report, at: (ms: number) => (nowMs = ms) }
}
const place: ErrorPlace = { part: 'views', topic: 'pins.v1', partition: 3 }

describe('A24 · reporting errors', () => {
  it('A24: writes part, topic, partition, code and all causes', () => {
    const { lines, report } = reporting()
    const cause = new Error('ECONNREFUSED 127.0.0.1:9092')
    report(Object.assign(new Error('Kafka is away', { cause }), { code: 'LOG_UNAVAILABLE' }), place)
    expect(lines).toMatchObject([
      {
        level: 'warn',
        part: 'views',
        topic: 'pins.v1',
        partition: 3,
        code: 'LOG_UNAVAILABLE',
        outcome: 'retried',
        error: 'Kafka is away: ECONNREFUSED 127.0.0.1:9092',
        msg: 'failed; retrying',
      },
    ])
  })

  it('A24: never reports that lost records will be retried', () => {
    const { lines, report } = reporting()
    report(Object.assign(new Error('deleted unread'), { code: 'LOG_RECORDS_LOST' }), place)
    expect(lines).toMatchObject([{ level: 'error', outcome: 'lost', msg: 'failed; data is lost' }])
  })

  it('A24: counts every error, and logs a repeated error once in ten seconds, with the number of unlogged ones', async () => {
    const { lines, metrics, report, at } = reporting()
    for (let i = 0; i < 5; i++) report(new Error('no'), place)
    report(new Error('no'), { ...place, partition: 4 })
    at(10_000)
    report(new Error('no'), place)
    expect(lines.map(({ partition, unwritten }) => [partition, unwritten])).toEqual([
      [3, undefined],
      [4, undefined],
      [3, 4],
    ])
    expect(await metrics.text()).toContain('freshet_errors_total{part="views",code="Error",outcome="retried"} 7')
  })

  it('A24: describes any thrown value', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    for (const thrown of [undefined, null, 'text', { a: 1 }, circular, new Error('', { cause: 'why' }), 7n])
      expect(causesOf(thrown)).not.toMatch(/^(\{\}|)$/)
    expect(causesOf(new Error('a', { cause: new Error('b', { cause: 'c' }) }))).toBe('a: b: c')
  })

  it('A24: never logs a nested error as `{}`', () => {
    const lines: string[] = []
    const logger = createLogger({
      name: 'demo',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    })
    logger.warn({ event: { kind: 'reader-error', error: new Error('the cause') }, error: new Error('another') }, 'x')
    expect(lines[0]).toContain('the cause')
    expect(lines[0]).toContain('another')
  })
})
