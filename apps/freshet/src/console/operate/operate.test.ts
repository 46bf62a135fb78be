import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { asId, type EventId, type UserId } from '@freshet/domain/ids'
import { anEngagement } from '@freshet/domain/testing'
import { until } from '@freshet/service/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { aFeedRecord } from '../../experiments/simulated.fixture.ts'
import { anOperatedFolder } from './operate.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(given: Parameters<typeof anOperatedFolder>[0] = {}) {
  const world = await anOperatedFolder(given)
  closing.push(() => world.close())
  return world
}

describe('dead letters on the page', () => {
  const letter = {
    ...{ sourceTopic: 'engagements.v1', sourcePartition: 0, sourcePosition: 7, key: 'ada' },
    ...{ code: 'CODEC_NEWER', message: 'of a newer version', schema: 'x', atMs: Date.UTC(2026, 0, 1) },
  }
  const good = {
    ...letter,
    value: encodeEngagement(anEngagement({ userId: asId<UserId>('ada'), eventId: asId<EventId>('put-aside') }), 1_000),
  }
  const bad = { ...letter, sourcePosition: 8, code: 'CODEC_INVALID', value: Uint8Array.of(1, 2, 3) }

  it('are listed, shown, and applied once by two replays', async () => {
    const { log, ask } = await open()
    for (const each of [good, bad])
      await log.append('dead-letters.v1', [{ key: each.key, value: encodeDeadLetter(each), partition: 0 }])
    const list = (await ask('GET', '/dead-letters')).json as { letters: { position: number; code: string }[] }
    expect(list).toMatchObject({ matched: 2, byCode: { CODEC_NEWER: 1, CODEC_INVALID: 1 } })
    const { position } = list.letters.find(({ code }) => code === 'CODEC_NEWER')!
    const shown = (await ask('GET', `/dead-letters/dead-letters.v1/0/${position}`)).json as { decoded: string }
    expect(shown.decoded).toContain('put-aside')
    expect((await ask('GET', '/dead-letters/dead-letters.v1/0/99')).status).toBe(400)
    expect((await ask('GET', '/dead-letters/pins.v1/0/0')).status).toBe(400)

    const replay = async (body: object) => (await ask('POST', '/dead-letters/replay', body)).json as object
    expect(await replay({ dryRun: true })).toMatchObject({ matched: 2, replayed: 0, stillBad: 1 })
    expect((await log.ends('engagements.v1')).reduce((sum, end) => sum + end, 0)).toBe(0)
    expect(await replay({ dryRun: false, code: 'CODEC_NEWER' })).toMatchObject({ matched: 1, replayed: 1 })
    await replay({ dryRun: false, code: 'CODEC_NEWER' })
    expect((await log.ends('engagements.v1')).reduce((sum, end) => sum + end, 0)).toBe(2)
  })

  it('are not known where the console does not reach the log', async () => {
    const { ask } = await open({ log: null })
    expect(await ask('GET', '/dead-letters')).toMatchObject({
      status: 404,
      json: { error: { code: 'CONSOLE_SERVICE_UNKNOWN', service: 'log' } },
    })
    expect(await ask('GET', '/pipeline')).toMatchObject({ status: 200, json: { recent: null, metered: [] } })
    expect(await ask('GET', '/sources')).toMatchObject({ status: 200, json: { shares: null } })
  })
})

describe('the services', () => {
  it('are ready, not ready with the reason, or down, each by itself', async () => {
    const metrics =
      'process_resident_memory_bytes 1000\nfreshet_view_lag_records{service="blender"} 3\nfreshet_feed_answers_total{degradation="DEGRADATION_PARTIAL",surface="home"} 2\n'
    let isReady = true
    const server = createServer((request, response) => {
      if (request.url === '/metrics') return response.end(metrics)
      response.statusCode = isReady ? 200 : 503
      return response.end(JSON.stringify({ version: '1', reasons: isReady ? [] : ['the log is gone'] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const operations = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { ask } = await open({
      services: [
        { name: 'blender', operations },
        { name: 'ranker', operations: 'http://127.0.0.1:9' },
      ],
    })
    expect((await ask('GET', '/services')).json).toMatchObject({
      services: [
        { name: 'blender', state: 'ready', sample: { memoryBytes: 1000, lag: { blender: 3 }, feeds: { PARTIAL: 2 } } },
        { name: 'ranker', state: 'down', sample: null, reasons: [expect.stringContaining('does not answer')] },
      ],
    })
    isReady = false
    expect((await ask('GET', '/services')).json).toMatchObject({
      services: [{ state: 'unready', reasons: ['the log is gone'], sample: { memoryBytes: 1000 } }, {}],
    })
  })
})

describe('the pipeline', () => {
  it('is shown of the newest feeds and of one', async () => {
    const { log, ask } = await open()
    const stages = [{ stage: 'retrieve', candidatesOut: 10, tookUs: 500 }]
    await log.append('feeds-served.v1', [
      aFeedRecord({ feedId: 'f1', userId: 'ada', atMs: 1_000, pinIds: ['p'], stages }),
      aFeedRecord({ feedId: 'f2', userId: 'ada', atMs: 2_000, pinIds: ['p'], stages }),
    ])
    await until('the feeds are there', async () => (await log.ends('feeds-served.v1')).some((end) => end === 2))
    expect((await ask('GET', '/pipeline')).json).toMatchObject({
      recent: {
        feeds: 2,
        users: ['ada'],
        kinds: [{ feeds: 2, stages: [{ stage: 'retrieve', candidatesOut: 10, tookMs: 0.5 }] }],
      },
    })
    expect((await ask('GET', '/pipeline/feed?user=ada')).json).toMatchObject({ feedId: 'f2' })
    expect((await ask('GET', '/pipeline/feed?user=ada&feed=f1')).json).toMatchObject({ feedId: 'f1' })
    expect(await ask('GET', '/pipeline/feed?user=ben')).toMatchObject({
      status: 400,
      json: { error: { code: 'FEED_MISSING' } },
    })
    expect(await ask('GET', '/pipeline/feed')).toMatchObject({ status: 400 })
  })
})

describe('experiments', () => {
  it('say that there is no file, what is wrong with one, and what is in it', async () => {
    const none = await open()
    expect((await none.ask('GET', '/experiments')).json).toMatchObject({
      file: null,
      report: { feeds: 0, experiments: [] },
    })
    const file = join(none.folder, 'experiments.json')
    writeFileSync(file, '{"layers": [{"name": "a"}]}')
    const { ask } = await open({ experimentsFile: file })
    const bad = (await ask('GET', '/experiments')).json as { file: { problems: string[]; summary: unknown } }
    expect(bad.file.summary).toBeNull()
    expect(bad.file.problems.length).toBeGreaterThan(0)
    const arms = [
      { name: 'as-is', share: 0.25 },
      { name: 'without', share: 0.25, withoutSources: ['trending'] },
    ]
    const experiments = [{ name: 'no-trending', control: 'as-is', arms }]
    writeFileSync(file, JSON.stringify({ layers: [{ name: 'retrieval', salt: 'r1', experiments }] }))
    expect((await ask('GET', '/experiments')).json).toMatchObject({
      file: { problems: [], summary: { layers: [{ experiments: [{ name: 'no-trending' }] }] } },
    })
  })
})
