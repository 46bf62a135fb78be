import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { startIngest } from './testing.ts'

type Row = Readonly<Record<string, unknown>>

async function start() {
  const started = await startIngest({ config: { maxBatchEvents: 3, maxBodyBytes: 1 << 20 } })
  const send = async (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, list = 'pins') => {
    const given = { 'content-type': 'application/x-ndjson', ...headers }
    const url = `/v1/${list}/bulk`
    const answer = await started.app.inject({ method: 'POST', url, payload: body, headers: given })
    const isLines = answer.headers['content-type'] === 'application/x-ndjson'
    const lines = answer.body.split('\n').filter((line) => line !== '')
    return { status: answer.statusCode, rows: (isLines ? lines : [answer.body]).map((line) => JSON.parse(line) as Row) }
  }
  return { ...started, send }
}

describe('POST /v1/pins/bulk', () => {
  it('answers each line once, in order, and with the sums at the end', async () => {
    const line = fc.constantFrom(
      '{"pinId":"p"}',
      '{"pinId":"p","deleted":true,"version":7}',
      '{"title":"x"}',
      '{',
      '',
      '  ',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), async (lines, end) => {
        const { send, records } = await start()
        const { status, rows } = await send(lines.join(end))
        const given = lines.flatMap((text, at) => (text.trim() === '' ? [] : [{ text, line: at + 1 }]))
        if (given.length === 0) {
          expect([status, rows[0]]).toMatchObject([400, { error: { code: 'BATCH_EMPTY' } }])
          return
        }
        const valid = given.filter(({ text }) => text.startsWith('{"pinId'))
        expect(status).toBe(200)
        expect(rows.slice(0, -1).map((row) => [row['line'], 'token' in row])).toEqual(
          given.map((one) => [one.line, valid.includes(one)]),
        )
        expect(rows.at(-1)).toEqual({ done: true, accepted: valid.length, rejected: given.length - valid.length })
        expect(await records('pins.v1')).toHaveLength(valid.length)
      }),
      { numRuns: 40 },
    )
  })

  it.each([
    ['creators', 'creatorId', 'creators.v1'],
    ['boards', 'boardId', 'boards.v1'],
  ] as const)('takes %s too', async (list, idField, topic) => {
    const { send, records } = await start()
    const lines = [{ [idField]: 'a b', version: 2 }, { [idField]: 'c', deleted: true }, { [idField]: '' }]
    const { rows } = await send(lines.map((line) => JSON.stringify(line)).join('\n'), {}, list)
    expect(rows).toMatchObject([
      { line: 1, id: 'a b', token: expect.stringMatching(/^[cb]\d/) as string },
      { line: 2, id: 'c' },
      { line: 3, code: 'EVENT_FIELD_MISSING', field: idField },
      { done: true, accepted: 2, rejected: 1 },
    ])
    expect((await records(topic)).map(({ key }) => key).toSorted()).toEqual(['a b', 'c'])
  })

  it('names what is wrong with a line', async () => {
    const { send } = await start()
    const { rows } = await send('{"pinId":"p","minAge":100}\n{"pinId"')
    expect(rows).toMatchObject([
      { line: 1, id: 'p', code: 'EVENT_FIELD_VALUE', field: 'minAge' },
      { line: 2, id: '', code: 'BODY_MALFORMED' },
      { done: true, accepted: 0, rejected: 2 },
    ])
  })

  it('says from which line on to send again if the log does not answer', async () => {
    const { send, log, ingest } = await start()
    const take = ingest.takePins.bind(ingest)
    let calls = 0
    Object.assign(ingest, {
      takePins: (...given: Parameters<typeof take>) => {
        if (++calls === 2) log.fail('LOG_UNAVAILABLE')
        return take(...given)
      },
    })
    const { status, rows } = await send(Array.from({ length: 9 }, (_, i) => `{"pinId":"p${i}"}`).join('\n'))
    expect(status).toBe(200)
    expect(rows.at(-1)).toMatchObject({
      done: false,
      accepted: 3,
      rejected: 0,
      nextLine: 4,
      error: { code: 'INGEST_UNAVAILABLE', retryable: true },
    })
    expect((await send('{"pinId":"p"}')).status).toBe(503)
    expect(ingest.inFlight.bytes()).toBe(0)
  })

  it('reads packed bodies, and refuses other content types, and bodies that are too large', async () => {
    const { send } = await start()
    expect((await send(gzipSync('{"pinId":"p"}\n'), { 'content-encoding': 'gzip' })).rows).toHaveLength(2)
    expect((await send('{"pinId":"p"}', { 'content-type': 'application/json' })).status).toBe(415)
    expect((await send('x'.repeat(2 << 20))).status).toBe(413)
  })
})
