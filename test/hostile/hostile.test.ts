import fc from 'fast-check'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCases } from './cases.ts'
import { anyEventText } from './fuzz.ts'
import { judgeAnswer, judgeEvents, judgeGrpc } from './judge.ts'
import { fuzz } from './play-fuzz.ts'
import { brokenByEvent, playCase } from './play.ts'
import type { HttpAnswer } from './send-raw.ts'
import type { Readings } from './target-messages.ts'
import { startTarget, type Target } from './target-process.ts'

const cases = readCases(join(import.meta.dirname, 'cases'))
const folders = [...new Set(cases.map(({ name }) => name.split('/')[0] ?? ''))]

/** What the target may hold more than before, after everything here. */
const mostHeldBytes = 96 << 20

let target: Target
let before: Readings
beforeAll(async () => {
  target = await startTarget()
  before = await target.read(true)
})
afterAll(async () => {
  await target.stop()
})

describe('hostile input', () => {
  it('has at least 200 named cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(200)
  })

  it.each(folders)('of the folder %s is answered as its cases say; what comes next is served', async (folder) => {
    const broken: Record<string, readonly string[]> = {}
    for (const each of cases.filter(({ name }) => name.startsWith(`${folder}/`))) {
      const played = await playCase(target, each)
      if (played.broken.length > 0) broken[each.name] = played.broken
    }
    expect(broken).toEqual({})
  })

  it('made of real requests and records by mutation breaks no law', async () => {
    const found: unknown[] = []
    const { broken } = await fuzz(target, { seed: 'small', count: 400, onBroken: (played) => found.push(played) })
    expect({ broken, found }).toEqual({ broken: 0, found: [] })
  })

  it('any event between two good ones is accepted, or rejected with its index and field, and the good ones are accepted', async () => {
    await fc.assert(
      fc.asyncProperty(anyEventText, async (text) => {
        expect(await brokenByEvent(target, text)).toEqual([])
      }),
      { seed: 7, numRuns: 150 },
    )
  })

  it('leaves little in memory', async () => {
    const after = await target.read(true)
    expect(after.heldBytes - before.heldBytes).toBeLessThan(mostHeldBytes)
  })
})

describe('the judge', () => {
  const answer = (status: number, body: object | string = {}, headers = {}): HttpAnswer => ({
    status,
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const http = {
    about: 'x',
    http: { to: 'ingest', method: 'POST', path: '/', headers: {} },
    answer: 'refused',
  } as const

  it.each([
    ['500', [answer(500, { error: {} })], 'the server answers 500'],
    ['503 without Retry-After', [answer(503, { error: {} })], 'without Retry-After'],
    ['an error that is not JSON', [answer(400, 'Bad')], 'not in our form'],
    ['a stack trace', [answer(400, { error: { message: 'at parse (node_modules/x.js:1)' } })], 'shows our code'],
    ['success instead of a refusal', [answer(202, {})], 'wanted: refused'],
    ['silence', [], 'wanted: refused'],
  ])('finds %s', (_name, answers, law) => {
    expect(judgeAnswer(http, answers, false).broken.join()).toContain(law)
  })

  it('finds a bad event that is not named, and a good one that is lost', () => {
    const bad = { about: 'x', list: 'engagements', field: 'pinId' } as const
    const receipts = [{ token: 'a' }, { field: 'engagements[1].userId', message: '' }, { field: '' }]
    const { broken } = judgeEvents(bad, [answer(202, { accepted: 1, receipts })])
    expect(broken.join()).toContain('1 of the two good events')
    expect(broken.join()).toContain('names engagements[1].userId, not engagements[1].pinId')
  })

  it('finds a status of gRPC that blames the server', () => {
    const call = { path: '/', headers: {}, data: '', calls: 1, reset: false, open: false }
    const { broken } = judgeGrpc({ about: 'x', grpc: call, answer: 'refused' }, [{ status: 'INTERNAL', message: '' }])
    expect(broken).toHaveLength(1)
  })
})
