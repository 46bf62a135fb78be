import { describe, expect, it } from 'vitest'
import { createLogger } from './logging.ts'

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
})
