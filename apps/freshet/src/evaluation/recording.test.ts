import { describe, expect, it } from 'vitest'
import { parseLine } from './recording.ts'

describe('a recording line', () => {
  it('holds a question with its defaults', () => {
    const line = parseLine('{"question":{"at":"2026-01-01T00:00:00.000Z","userId":"u","target":"p"}}', 'r:1')
    expect(line).toMatchObject({
      kind: 'question',
      question: { userId: 'u', targets: ['p'], among: [], exclude: [], group: null, pinId: null },
    })
  })

  it.each([
    ['{', /^r:7: not JSON/],
    ['[]', /^r:7: not an object/],
    ['{"pin":{},"mark":"x"}', /one key/],
    ['{"event":{}}', /unknown key "event"/],
    ['{"mark":3}', /mark is no name/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u","target":"p","k":3}}', /question\.k is unknown/],
    ['{"question":{"at":"yesterday","userId":"u","target":"p"}}', /question\.at is "yesterday"/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u"}}', /question\.target is missing/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","target":"p"}}', /neither userId nor pinId/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"a b","target":"p"}}', /question\.userId holds/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u","target":[]}}', /question\.target is empty/],
  ])('that is none is named with its place: %s', (text, message) => {
    expect(() => parseLine(text, 'r:7')).toThrow(message)
  })
})
