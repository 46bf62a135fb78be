import { describe, expect, it } from 'vitest'
import { createRefusalLog } from './refusal-log.ts'

describe('the log of refused requests', () => {
  it('has a line for each server and code once in a while, with how many came since', () => {
    let nowMs = 0
    const lines: object[] = []
    const log = createRefusalLog({ warn: (line: object) => void lines.push(line) }, () => nowMs)
    for (let i = 0; i < 1_000; i++) log('ingest', 'ACCESS_KEY_UNKNOWN')
    log('feed', 'ACCESS_KEY_UNKNOWN')
    log('ingest', 'ACCESS_DENIED')
    expect(lines).toHaveLength(3)
    nowMs = 10_000
    log('ingest', 'ACCESS_KEY_UNKNOWN')
    log('feed', 'ACCESS_KEY_UNKNOWN')
    expect(lines.slice(3)).toEqual([
      { part: 'access', server: 'ingest', code: 'ACCESS_KEY_UNKNOWN', unlogged: 999 },
      { part: 'access', server: 'feed', code: 'ACCESS_KEY_UNKNOWN' },
    ])
  })
})
