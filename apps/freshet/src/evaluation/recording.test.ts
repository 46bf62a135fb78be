import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parseLine, readRecordings } from './recording.ts'

describe('a recording line', () => {
  it('contains a question with its defaults', () => {
    const line = parseLine('{"question":{"at":"2026-01-01T00:00:00.000Z","userId":"u","target":"p"}}', 'r:1')
    expect(line).toMatchObject({
      kind: 'question',
      question: { userId: 'u', targets: ['p'], among: [], exclude: [], group: null, pinId: null },
    })
  })

  it.each([
    ['{', /^r:7: is not JSON/],
    ['[]', /^r:7: is not a JSON object/],
    ['{"pin":{},"mark":"x"}', /one key/],
    ['{"event":{}}', /unknown key "event"/],
    ['{"mark":3}', /mark is not a non-empty string/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u","target":"p","k":3}}', /question\.k is unknown/],
    ['{"question":{"at":"yesterday","userId":"u","target":"p"}}', /question\.at is "yesterday"/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u"}}', /question\.target is missing/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","target":"p"}}', /neither userId nor pinId/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"a b","target":"p"}}', /question\.userId contains/],
    ['{"question":{"at":"2026-01-01T00:00:00Z","userId":"u","target":[]}}', /question\.target is empty/],
  ])('that is invalid is reported with its place: %s', (text, message) => {
    expect(() => parseLine(text, 'r:7')).toThrow(message)
  })
})

it('a truncated compressed recording is reported with the line that could not be read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-recording-'))
  const file = join(folder, 'cut.jsonl.gz')
  const whole = gzipSync(Array.from({ length: 20_000 }, (_, at) => `{"mark":"m${Math.sin(at)}"}`).join('\n'))
  writeFileSync(file, whole.subarray(0, whole.length / 2))
  const read = async (): Promise<number> => {
    let lines = 0
    for await (const line of readRecordings([file])) if (line.kind === 'mark') lines++
    return lines
  }
  await expect(read()).rejects.toThrow(/cut\.jsonl\.gz:\d+: is not gzip, or is cut off/)
  rmSync(folder, { recursive: true })
})
