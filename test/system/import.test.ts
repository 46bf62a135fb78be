import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { progressInspection, userInspection } from '@freshet/contracts/inspection/routes'
import { mix32 } from '@freshet/domain/hash'
import { openFolder, withOpen } from '@freshet/freshet/operations/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'freshet-system-import-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly output: string
}

function start(...given: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, ['apps/freshet/src/main.ts', ...given], { cwd: root })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output })
    })
  })
  return { child, ended }
}

const freshet = (...given: readonly string[]): Promise<Ended> => start(...given).ended

/** Each user rates some of the movies, all of one half of them well; times go over four years, in the order of users. */
function ratings(users: number, movies: number, each: number, firstSeconds = 1_500_000_000): string {
  const rows = ['userId,movieId,rating,timestamp']
  for (let user = 1; user <= users; user++) {
    for (let step = 0; step < each; step++) {
      const movie = 1 + (mix32(user * 1000 + step) % movies)
      const rating = movie % 2 === user % 2 ? 5 : 2
      rows.push(`${user},${movie},${rating},${firstSeconds + (mix32(user * 77 + step) % 126_000_000)}`)
    }
  }
  return `${rows.join('\n')}\n`
}

describe('A16 · an import that is killed', () => {
  it('counts every row once, whenever kill -9 came', async () => {
    const data = join(folder, 'killed')
    const file = join(folder, 'killed.csv')
    const users = 2_000
    writeFileSync(file, ratings(users, 5_000, 30))
    const rows = new Set(ratings(users, 5_000, 30).trim().split('\n').slice(1)).size
    for (const afterMs of [1_500, 2_500, 3_500, 4_500]) {
      const { child, ended } = start('import', file, '--data', data, '--partitions', '4')
      await sleep(afterMs)
      child.kill('SIGKILL')
      await ended
    }
    const last = await freshet('import', file, '--data', data, '--partitions', '4')
    expect(last.code, last.output).toBe(0)
    const once = await freshet('import', file, '--data', data, '--partitions', '4')
    expect(once.output).toMatch(/engagements +0\n/)
    await withOpen(openFolder({ data }), async (platform) => {
      const signal = new AbortController().signal
      const ends = await platform.log.ends('engagements.v1')
      expect(ends.reduce((sum, end) => sum + end, 0)).toBe(rows)
      const progress = await progressInspection(platform).answer('', {}, signal)
      expect(progress).toMatchObject({ lag: 0, counts: { applied: rows, duplicate: 0, late: 0, deadLettered: 0 } })
      const state = await userInspection(platform).answer('7', {}, signal)
      const own = new Set(
        ratings(users, 5_000, 30)
          .split('\n')
          .filter((row) => row.startsWith('7,')),
      )
      const saved = [...own].filter((row) => row.split(',')[2] === '5').length
      expect(state).toMatchObject({ counts: { save: { total: saved }, dismiss: { total: own.size - saved } } })
    })
  })
})

describe('one process with imported history', () => {
  const data = join(folder, 'running')
  let running: ServiceProcess
  let [operations, ingest, feed] = ['', '', '']

  beforeAll(async () => {
    writeFileSync(join(folder, 'ratings.csv'), ratings(300, 400, 25))
    const imported = await freshet('import', join(folder, 'ratings.csv'), '--data', data)
    expect(imported.code, imported.output).toBe(0)
    const [operationsPort = 0, ingestPort = 0, feedPort = 0, grpc = 0] = await freePorts(4)
    running = createNodeProcess({
      name: 'freshet',
      arguments: [
        ...['apps/freshet/src/main.ts', 'dev', '--data', data, '--ingest.maxEventAgeDays', '0'],
        ...['--operations.port', String(operationsPort), '--ingestHttp.port', String(ingestPort)],
        ...['--console.enabled', 'false', '--feedHttp.port', String(feedPort), '--grpc.port', String(grpc)],
      ],
      env: {},
      ports: { operations: operationsPort, http: ingestPort, grpc },
    })
    operations = `http://127.0.0.1:${operationsPort}`
    ingest = `http://127.0.0.1:${ingestPort}`
    feed = `http://127.0.0.1:${feedPort}`
    await running.start(180_000)
  })
  afterAll(() => running.kill())

  const ask = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${operations}${path}`)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const feedOf = async (userId: string): Promise<readonly { readonly pinId: string }[]> => {
    const response = await fetch(`${feed}/v1/feed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId, pageSize: 10 }),
    })
    return ((await response.json()) as { items?: { pinId: string }[] }).items ?? []
  }

  it('A16: the feed of an imported user holds what users alike saved', async () => {
    const items = await feedOf('8')
    expect(items).toHaveLength(10)
    // Users of even numbers save movies of even numbers.
    expect(items.filter(({ pinId }) => Number(pinId) % 2 === 0).length).toBeGreaterThanOrEqual(8)
  })

  it('A16: a data folder that is in use is named, with what to do', async () => {
    const { code, output } = await freshet('import', join(folder, 'ratings.csv'), '--data', data)
    expect(code).toBe(69)
    expect(output).toMatch(/STORE_IN_USE: .*stop it first, or post to it with --target/)
  })

  it('A16: running services take an import, say what was applied, and take nothing twice', async () => {
    const file = join(folder, 'more.csv')
    writeFileSync(file, ratings(50, 420, 20, 1_400_000_000).replaceAll(/^(\d+),(\d+),/gm, 'new-$1,$2,'))
    const rows = new Set(ratings(50, 420, 20, 1_400_000_000).trim().split('\n').slice(1)).size
    const given = ['--target', ingest, '--operations', operations, '--ledger', join(folder, 'target.ledger')]
    const first = await freshet('import', file, ...given, '--make-pins')
    expect(first.code, first.output).toBe(0)
    // Canaries of the updater count too.
    const [, applied = ''] = /applied +([\d,]+) /.exec(first.output) ?? []
    expect(Number(applied.replaceAll(',', ''))).toBeGreaterThanOrEqual(rows)
    expect(first.output).toMatch(/late +0/)
    expect(first.output).toMatch(/pins created +\d+/)
    const again = await freshet('import', file, ...given)
    expect(again.code, again.output).toBe(0)
    expect(again.output).toMatch(/engagements +0\n/)
    expect(again.output).toMatch(new RegExp(`there already +${rows.toLocaleString('en-US')} `))
    expect((await ask('/v1/users/new-3/state')).status).toBe(200)
  })

  it('A18: shows what is known of a user and of a pin while it runs', async () => {
    const { status, body } = await ask('/v1/users/9/state')
    expect(status).toBe(200)
    expect(body).toMatchObject({ userId: '9', relations: {}, seen: {} })
    expect(body['seen']).toHaveProperty('pinsWithTime')
    expect(body['asOf']).toMatch(/^20\d\d-.*Z$/)
    const actions = body['recentActions'] as { action: string; pinId: string; at: string }[]
    expect(actions.length).toBeGreaterThan(20)
    expect(actions[0]?.at).toMatch(/^20(1|2)\d-.*Z$/)
    const pin = await ask(`/v1/pins/${actions[0]?.pinId}`)
    expect(pin.status).toBe(200)
    expect(pin.body).toMatchObject({
      catalogue: { pinId: actions[0]?.pinId },
      engagements: {},
    })
  })

  it('A18: names what is not known', async () => {
    expect(await ask('/v1/users/nobody/state')).toMatchObject({
      status: 404,
      body: { error: { code: 'USER_UNKNOWN' } },
    })
    expect(await ask('/v1/pins/none')).toMatchObject({ status: 404, body: { error: { code: 'PIN_UNKNOWN' } } })
    expect(await ask('/v1/users/a%20b/state')).toMatchObject({ status: 400 })
    const { status, body } = await ask('/v1/unknown')
    expect(status).toBe(404)
    expect(JSON.stringify(body)).toContain('/v1/users/{id}/state')
  })

  it('A18: freshet why asks the running process', async () => {
    const items = await feedOf('10')
    await eventually(
      'the feed to be recorded',
      async () => ((await ask('/v1/users/10/feeds/last')).status === 200 ? true : null),
      20_000,
    )
    const { code, output } = await freshet('why', '10', '--operations', operations)
    expect(code, output).toBe(0)
    expect(output).toMatch(/feed \w+ of 10 at .*: home/)
    expect(output).toContain(` ${items[0]?.pinId} `)
    const nobody = await freshet('why', 'nobody', '--operations', operations)
    expect(nobody.code).toBe(1)
    expect(nobody.output).toContain('FEED_MISSING')
  })

  it('A26: refuses an erased user by name, at once and afterwards', async () => {
    await feedOf('12')
    await eventually(
      'the feed to be recorded',
      async () => ((await ask('/v1/users/12/feeds/last')).status === 200 ? true : null),
      20_000,
    )
    expect((await fetch(`${ingest}/v1/users/12`, { method: 'DELETE' })).status).toBe(202)
    for (const path of ['/v1/users/12/state', '/v1/users/12/feeds/last'])
      expect(await ask(path)).toMatchObject({ status: 410, body: { error: { code: 'USER_ERASED' } } })
    const { code, output } = await freshet('why', '12', '--operations', operations)
    expect(code).toBe(1)
    expect(output).toMatch(/USER_ERASED: 12 was erased at 20/)
  })
})
