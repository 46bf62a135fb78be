/**
 * `npm run soak`: memory of `freshet dev` over time, idle and under load, with its slope.
 *
 *   node test/benchmarks/soak.ts [--pins N] [--users N] [--history N] [--feeds N] [--events N] [--minutes N] [--uuids] [--restart] [--node FLAGS] [--json FILE]
 *
 * Starts `freshet dev` on an empty folder, with the flags and variables that `npm start` gives it, posts the pins and the events of a history, waits until all of it is in state and
 * views, then asks for feeds and posts events at the given rates per second. Prints the anonymous memory of the process (all
 * that is not a page of a file; Linux only) every 15 seconds, its slope over the second half, and the bytes of each view.
 * `--restart` starts it again when it is filled, as after an import: it then has read everything from its log.
 * Defaults: 3,000 pins, 5,000 users, 110 feeds and 370 events a second for 7 minutes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { Degradation, GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { readArguments } from '../harness/arguments.ts'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess } from '../harness/processes.ts'
import { pageSize } from './feed-load.ts'

const values = readArguments(
  'npm run soak --',
  {
    pins: { type: 'string', default: '3000' },
    users: { type: 'string', default: '5000' },
    history: { type: 'string', default: '0' },
    feeds: { type: 'string', default: '110' },
    events: { type: 'string', default: '370' },
    minutes: { type: 'string', default: '7' },
    uuids: { type: 'boolean', default: false },
    restart: { type: 'boolean', default: false },
    node: { type: 'string' },
    json: { type: 'string' },
  },
  {
    pins: 'N',
    users: 'N',
    history: 'N',
    feeds: 'N',
    events: 'N',
    minutes: 'N',
    node: 'FLAGS',
    json: 'FILE',
  },
)
const pins = Number(values.pins)
const users = Number(values.users)
const history = Number(values.history)
const feedsPerSecond = Number(values.feeds)
const eventsPerSecond = Number(values.events)
const minutes = Number(values.minutes)

const sampleSeconds = 15
const batchEvents = 500
const patienceMs = 3_600_000
/** Feeds that wait for an answer at most; beyond, the load asks for fewer than it should, and the table shows it. */
const maxFeedsUnderWay = 32
const actions = ['impression', 'impression', 'impression', 'closeup', 'click', 'click', 'save'] as const

const program = 'apps/freshet/bin/freshet.js'
const random = createSeededRandom('soak')
const below = (count: number): number => Math.floor(random.next() * count)
let made = 0
const folder = mkdtempSync(join(tmpdir(), 'freshet-soak-'))
const [operations = 0, ingest = 0, feed = 0, grpc = 0] = await freePorts(4)
const ingestUrl = `http://127.0.0.1:${ingest}`
const start = startedWith()
const service = createNodeProcess({
  name: 'freshet dev',
  arguments: [
    ...start.flags,
    program,
    'dev',
    ...['--data', folder, '--sample', 'false', '--operations.port', String(operations)],
    ...[
      '--console.enabled',
      'false',
      '--ingestHttp.port',
      String(ingest),
      '--feedHttp.port',
      String(feed),
      '--grpc.port',
      String(grpc),
    ],
  ],
  ports: { operations, http: ingest, grpc },
  env: start.env,
})

try {
  await service.start()
  await sleep(5_000)
  const kept: FigureRow[] = [{ key: 'idle, no data', cells: [`${megabytes(service.anonymousBytes())} MB`] }]
  console.log(`empty, after 5 s: ${megabytes(service.anonymousBytes())} MB anonymous`)
  await fill()
  console.log(
    `filled with ${pins} pins and ${history} events of ${users} users: ${megabytes(service.anonymousBytes())} MB anonymous`,
  )
  if (values.restart) {
    await service.stop()
    await service.start(patienceMs)
    await caughtUp()
    const again = `${megabytes(service.anonymousBytes())} MB`
    kept.push({ key: `${pins.toLocaleString('en')} pins, started again`, cells: [again] })
    console.log(`started again: ${again} anonymous`)
  }
  await load(kept)
  const metrics = await metricsOf()
  for (const line of metrics.filter((each) => /^freshet_\w*bytes\b/.test(each) && !each.includes('_bucket')))
    console.log(line)
} finally {
  await service.stop().catch(() => service.kill())
  rmSync(folder, { recursive: true, force: true })
}

/** What the first line of the program gives to Node: variables and flags. `--node` replaces the flags. */
function startedWith(): { readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const [line = ''] = readFileSync(join(import.meta.dirname, '../..', program), 'utf8').split('\n')
  const words = line.split(' ')
  const flags = (values.node?.split(' ') ?? words).filter((word) => word.startsWith('--'))
  const variables = words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('=') as [string, string])
  return { flags, env: Object.fromEntries(variables) }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/** An id by its number: short, or shaped like a UUID. */
function idOf(kind: string, index: number): string {
  if (!values.uuids) return `${kind}${index}`
  const hex = createSeededRandom(`${kind}${index}`)
  const part = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(hex.next() * 16).toString(16)).join('')
  return `${part(8)}-${part(4)}-4${part(3)}-8${part(3)}-${part(12)}`
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${ingestUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`${path}: ${response.status} ${text.slice(0, 400)}`)
}

/** Engagements of random users: each user keeps to a few tastes. */
function engagements(count: number): readonly unknown[] {
  return Array.from({ length: count }, () => {
    const user = below(users)
    const taste = (user * 7 + below(3) * 31) % Math.max(1, Math.ceil(pins / 100))
    const pin = Math.min(pins - 1, taste * 100 + Math.floor(random.next() ** 2 * 100))
    const action = actions[below(actions.length)]!
    return {
      eventId: idOf('event', made++),
      userId: idOf('user', user),
      sessionId: idOf('session', user),
      action,
      pinId: idOf('pin', pin),
      ...(action === 'save' ? { boardId: idOf('board', user) } : {}),
      occurredAt: new Date().toISOString(),
    }
  })
}

/** Posts catalogue and history; resolves when everything is in state and views. */
async function fill(): Promise<void> {
  for (let first = 0; first < pins; first += batchEvents) {
    const batch = Array.from({ length: Math.min(batchEvents, pins - first) }, (_, i) => ({
      pinId: idOf('pin', first + i),
      title: `Pin ${first + i} of the catalogue`,
      creatorId: idOf('creator', (first + i) % Math.ceil(pins / 25)),
      topics: [`topic${Math.floor((first + i) / 100) % 500}`],
      createdAt: new Date(Date.now() - below(30 * 86_400_000)).toISOString(),
    }))
    await post('/v1/pins', { pins: batch })
  }
  for (let left = history; left > 0; left -= batchEvents)
    await post('/v1/engagements', { engagements: engagements(Math.min(left, batchEvents)) })
  await caughtUp()
}

async function caughtUp(): Promise<void> {
  await eventually(
    'everything in state and views',
    async () => {
      const lag = (await metricsOf()).filter((line) => /^freshet_(view|updater)_lag_records/.test(line))
      return lag.length > 0 && lag.every((line) => line.endsWith(' 0')) ? true : null
    },
    patienceMs,
    500,
  )
  await sleep(5_000)
}

async function metricsOf(): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${operations}/metrics`)
  return (await response.text()).split('\n')
}

async function load(kept: readonly FigureRow[]): Promise<void> {
  const blender = createBlenderClient({ address: `127.0.0.1:${grpc}` })
  await blender.ready(10_000)
  const startMs = performance.now()
  const untilMs = startMs + minutes * 60_000
  const samples: { seconds: number; anonymous: number }[] = []
  const since = { feeds: 0, degraded: 0, events: 0, cpuSeconds: await cpuSeconds(), atMs: startMs }
  const all = { feeds: 0, degraded: 0, events: 0 }
  let underWay = 0
  let postsUnderWay = 0
  let feedsDue = 0
  let eventsDue = 0
  let lastMs = startMs
  let sampleMs = startMs + sampleSeconds * 1000
  const ask = async (): Promise<void> => {
    underWay++
    const request = GetFeedRequest.fromPartial({ userId: idOf('user', below(users)), pageSize })
    const answer = await blender.getFeed(request, { timeoutMs: 2_000 }).catch(() => null)
    since.feeds++
    if (answer === null || answer.degradation !== Degradation.NONE) since.degraded++
    underWay--
  }
  const send = async (count: number): Promise<void> => {
    postsUnderWay++
    await post('/v1/engagements', { engagements: engagements(count) }).then(
      () => (since.events += count),
      (error: unknown) => console.log(String(error)),
    )
    postsUnderWay--
  }
  while (performance.now() < untilMs) {
    await sleep(20)
    const nowMs = performance.now()
    const elapsed = (nowMs - lastMs) / 1000
    lastMs = nowMs
    for (feedsDue += elapsed * feedsPerSecond; feedsDue >= 1; feedsDue--) if (underWay < maxFeedsUnderWay) void ask()
    eventsDue += elapsed * eventsPerSecond
    const count = Math.min(batchEvents, Math.floor(eventsDue))
    eventsDue -= count
    if (count > 0 && postsUnderWay < 4) void send(count)
    if (nowMs < sampleMs) continue
    sampleMs += sampleSeconds * 1000
    const anonymous = service.anonymousBytes()
    const lines = await metricsOf()
    const metric = (name: string): number =>
      Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1))
    const cpu = await cpuSeconds()
    const seconds = (nowMs - startMs) / 1000
    const span = (nowMs - since.atMs) / 1000
    samples.push({ seconds, anonymous })
    console.log(
      [
        `${seconds.toFixed(0)} s`,
        `${megabytes(anonymous)} MB anonymous`,
        `heap ${megabytes(metric('nodejs_heap_size_used_bytes'))} of ${megabytes(metric('nodejs_heap_size_total_bytes'))}`,
        `external ${megabytes(metric('nodejs_external_memory_bytes'))}`,
        `${(since.feeds / span).toFixed(0)} feeds/s`,
        `${since.degraded} degraded`,
        `${(since.events / span).toFixed(0)} events/s`,
        `${((1000 * (cpu - since.cpuSeconds)) / Math.max(1, since.feeds)).toFixed(1)} ms CPU a feed, events included`,
      ].join(' · '),
    )
    all.feeds += since.feeds
    all.degraded += since.degraded
    all.events += since.events
    Object.assign(since, { feeds: 0, degraded: 0, events: 0, cpuSeconds: cpu, atMs: nowMs })
  }
  blender.close()
  const second = samples.filter(({ seconds }) => seconds >= minutes * 30)
  const slope = 60 * slopeOf(second.map(({ seconds, anonymous }) => ({ x: seconds, y: anonymous })))
  writeFigures(values.json, {
    columns: ['figure'],
    rows: [
      ...kept,
      { key: 'feeds', cells: [all.feeds.toLocaleString('en')] },
      { key: 'degraded feeds', cells: [all.degraded.toLocaleString('en')] },
      { key: 'events', cells: [all.events.toLocaleString('en')] },
      { key: 'anonymous memory, first sample', cells: [`${megabytes(samples[0]?.anonymous ?? Number.NaN)} MB`] },
      { key: 'anonymous memory, last sample', cells: [`${megabytes(second.at(-1)?.anonymous ?? Number.NaN)} MB`] },
      { key: 'slope over the second half', cells: [`${(slope / 1e6).toFixed(1)} MB/min`] },
    ],
    problems: [],
  })
  console.log(
    `${all.feeds} feeds (${all.degraded} degraded), ${all.events} events; second half: ${(slope / 1e6).toFixed(1)} MB/min, last ${megabytes(second.at(-1)?.anonymous ?? Number.NaN)} MB`,
  )
}

async function cpuSeconds(): Promise<number> {
  return service.metric('process_cpu_seconds_total')
}

/** Slope of the line of least squares through points. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: 'x' | 'y'): number => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean('x'), mean('y')]
  const along = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0)
  return along / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
}
