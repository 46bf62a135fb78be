import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-system-console-'))
const program = 'apps/freshet/src/main.ts'
let dev: ServiceProcess
let beside: ServiceProcess
let own = ''
let other = ''

beforeAll(async () => {
  const ports = await freePorts(7)
  const [operations = 0, http = 0, feed = 0, grpc = 0, page = 0, otherPage = 0, otherOperations = 0] = ports
  own = `http://127.0.0.1:${page}`
  other = `http://localhost:${otherPage}`
  dev = createNodeProcess({
    name: 'freshet',
    arguments: [
      ...[program, 'dev', '--data', folder, '--console.port', String(page)],
      ...['--operations.port', String(operations), '--ingestHttp.port', String(http)],
      ...['--feedHttp.port', String(feed), '--grpc.port', String(grpc)],
    ],
    env: {},
    ports: { operations, http, grpc },
  })
  beside = createNodeProcess({
    name: 'console',
    arguments: [
      ...[program, 'console', '--feeds', `http://127.0.0.1:${feed}`, '--events', `http://127.0.0.1:${http}`],
      ...['--operations', `freshet=http://127.0.0.1:${operations}`, '--console.port', String(otherPage)],
      ...['--operations.port', String(otherOperations)],
    ],
    env: {},
    ports: { operations: otherOperations, http: otherPage, grpc: 0 },
  })
  await dev.start(180_000)
  await beside.start(120_000)
}, 300_000)
afterAll(async () => {
  await beside.kill()
  await dev.kill()
  rmSync(folder, { recursive: true, force: true })
})

interface Feed {
  readonly feedId: string
  readonly items: readonly { readonly pinId: string }[]
  readonly freshness: string
}

async function ask(url: string, body?: object): Promise<unknown> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(url, body === undefined ? {} : post)
  const content: unknown = await answer.json()
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${JSON.stringify(content)}`)
  return content
}

/** The feed of a user through a console. */
const feedOf = async (console: string, userId: string, after: readonly string[] = []): Promise<Feed> =>
  (await ask(`${console}/api/feeds/v1/feed`, { userId, pageSize: 12, after })) as Feed

describe('the console', () => {
  it('serves its page, which may load nothing from elsewhere', async () => {
    const answer = await fetch(own)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await answer.text()
    const sources = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!)
    expect(sources.some((path) => path.endsWith('.js'))).toBe(true)
    for (const path of sources) expect((await fetch(own + path)).status, path).toBe(200)
  })

  it('names the services, in front of its own and of others', async () => {
    for (const console of [own, other]) {
      const { services, open } = (await ask(`${console}/api/console/config`)) as { services: object[]; open: boolean }
      expect([services, open]).toEqual([[{ name: 'freshet' }], true])
      expect(await ask(`${console}/api/operations/freshet/readyz`)).toMatchObject({ state: 'ready' })
    }
  })

  it('passes feeds and events on, and measures when a feed reflects an event', async () => {
    for (const console of [own, other]) {
      const userId = `reader-${new URL(console).port}`
      const { items } = await feedOf(console, userId)
      expect(items.length).toBe(12)
      const posted = (await ask(`${console}/api/events/v1/engagements`, {
        ...{ eventId: `save-${userId}`, userId, action: 'save', pinId: items[0]!.pinId, boardId: 'b' },
        occurredAt: new Date().toISOString(),
      })) as { receipts: { token: string }[] }
      const { token } = posted.receipts[0]!
      const fresh = await ask(`${console}/api/console/freshness?userId=${userId}&token=${token}`)
      expect(fresh).toMatchObject({ reflected: true })
      expect((fresh as { featureMs: number }).featureMs).toBeGreaterThan(0)
      expect((await feedOf(console, userId, [token])).freshness).toBe('FRESHNESS_CURRENT')
    }
  })

  it('says within a second of a save which sources started from it, in the next page and in its explanation', async () => {
    const userId = 'saver'
    const { items } = await feedOf(own, userId)
    const { pinId } = items[0]!
    const from = performance.now()
    const posted = (await ask(`${own}/api/events/v1/engagements`, {
      ...{ eventId: 'save-of-saver', userId, action: 'save', pinId, boardId: 'b' },
      occurredAt: new Date().toISOString(),
    })) as { receipts: { token: string }[] }
    const after = posted.receipts.map(({ token }) => token)
    const page = (await ask(`${own}/api/feeds/v1/feed`, { userId, pageSize: 25, after, explain: true })) as Feed & {
      seeds: { source: string; seeds: { pinId: string; action: string }[] }[]
    }
    const tookMs = performance.now() - from
    console.log(`save → next page that names it: ${Math.round(tookMs)} ms`)
    expect(tookMs).toBeLessThan(1_000)
    const seed = expect.objectContaining({ pinId, action: 'ACTION_SAVE' }) as object
    const started = page.seeds.map(({ source, seeds }) => {
      expect(seeds).toEqual([seed])
      return source
    })
    expect(started.length).toBeGreaterThan(0)
    const { pins } = (await ask(`${own}/api/feeds/v1/explain`, { feedId: page.feedId })) as {
      pins: { sources: { source: string; seeds: object[] }[] }[]
    }
    const sources = pins.flatMap((pin) => pin.sources)
    expect(sources.filter(({ source }) => started.includes(source)).length).toBeGreaterThan(0)
    for (const { source, seeds } of sources) expect(seeds).toEqual(started.includes(source) ? [seed] : [])
  })

  it('orders a served feed again: as served with equal settings, otherwise with others', async () => {
    const feed = await feedOf(own, 'ada')
    const order = async (sliders: object): Promise<string[]> => {
      const answer = await ask(`${own}/api/console/reorder`, { feedId: feed.feedId, ...sliders })
      return (answer as { items: { pinId: string }[] }).items.map(({ pinId }) => pinId)
    }
    const served = feed.items.map(({ pinId }) => pinId)
    expect(await order({})).toEqual(served)
    expect(await order({ weights: { save: 1, click: 1 }, diversity: 1, exploration: 1 })).toEqual(served)
    const moved = await order({ weights: { save: 0 }, diversity: 0, exploration: 0 })
    expect(moved).not.toEqual(served)
    expect(moved.toSorted()).toEqual(served.toSorted())
  })

  it('says why a pin is not on a page', async () => {
    const feed = await feedOf(own, 'someone-new')
    const shown = new Set(feed.items.map(({ pinId }) => pinId))
    const { pinIds } = (await ask(`${own}/api/console/words?q=cat&limit=${shown.size + 1}`)) as { pinIds: string[] }
    const absent = pinIds.find((pinId) => !shown.has(pinId))!
    const explained = (await ask(`${own}/api/feeds/v1/explain`, { feedId: feed.feedId, pinId: absent })) as {
      absence: { pinId: string; text: string }
    }
    expect(explained.absence.pinId).toBe(absent)
    expect(explained.absence.text).toContain(absent)
  })

  it('shows, names, finds and embeds the pictures of the sample', async () => {
    const { demo, capabilities, users } = (await ask(`${own}/api/console/config`)) as {
      demo: boolean
      capabilities: object
      users: { userId: string }[]
    }
    expect([demo, capabilities]).toEqual([true, { admin: true, pictures: true, crops: true, words: true }])
    expect(users.map(({ userId }) => userId)).toContain('ada')
    const { pinIds } = (await ask(`${own}/api/console/words?q=Katze&locale=de&limit=5`)) as { pinIds: string[] }
    expect(pinIds.length).toBe(5)
    const { titles } = (await ask(`${own}/api/console/titles?locale=de&pins=${pinIds.join(',')}`)) as {
      titles: Record<string, string>
    }
    expect(Object.values(titles).join()).toMatch(/Katze/)
    const picture = await fetch(`${own}/pictures/${pinIds[0]!}.svg`)
    expect(picture.headers.get('content-type')).toContain('image/svg+xml')
    expect(await picture.text()).toContain('<svg')
    const crop = { pinId: pinIds[0], box: { x: 0.1, y: 0.1, width: 0.8, height: 0.8 } }
    const { embedding } = (await ask(`${own}/api/console/crop`, crop)) as { embedding: number[] }
    const found = (await ask(`${own}/api/feeds/v1/search`, { userId: 'ada', embedding, pageSize: 20 })) as Feed
    expect(found.items.map(({ pinId }) => pinId)).toContain(pinIds[0])
  })

  it('answers only for names of this machine', async () => {
    // fetch does not let anybody set the header.
    const { request } = await import('node:http')
    const status = await new Promise((resolve, reject) => {
      request(own, { headers: { host: 'rebound.example' } }, (answer) => resolve(answer.statusCode))
        .once('error', reject)
        .end()
    })
    expect(status).toBe(403)
  })

  it('says which service is down, and works again when it is back', async () => {
    await dev.stop()
    const answer = await fetch(`${other}/api/feeds/v1/feed?userId=u`)
    expect([answer.status, await answer.json()]).toMatchObject([
      502,
      { error: { code: 'CONSOLE_SERVICE_DOWN', service: 'feeds', retryable: true } },
    ])
    expect((await fetch(other)).status).toBe(200)
    await dev.start(180_000)
    const again = async () => ((await feedOf(other, 'someone-new')).items.length > 0 ? true : null)
    await eventually('feeds come again', again, 30_000)
  }, 240_000)
})
