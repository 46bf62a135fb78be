import { randomUUID } from 'node:crypto'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import type { World } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { readTopic } from '../harness/read-topic.ts'
import { startDevServer, type DevServer } from '../sdk/dev-server.ts'
import type { Bench } from './bench.ts'
import { plainRow, type BenchRow } from './row.ts'

/** Bytes of a record beside its key and value in a batch of Kafka: lengths, offset, time and the headers of ours. */
const aroundRecordBytes = 70
const batch = 500
const feeds = 300

/** What `npx freshet capacity` computes with: bytes of a record by topic, of the state of a user and a pin, and of the views for one more pin. */
export async function deploymentBytesRows(bench: Bench): Promise<BenchRow[]> {
  const pins = bench.quick ? [200, 400] : [5_000, 25_000]
  const perUser = 60
  const users = bench.quick ? 20 : 500
  const random = createSeededRandom('bytes')
  const below = (count: number): number => Math.floor(random.next() * count)
  const dev = await startDevServer({ FRESHET_UPDATER_CANARY_EVERY_MS: '0' })
  try {
    const views: ReadonlyMap<string, number>[] = []
    let made = 0
    const userIds = Array.from({ length: users }, () => randomUUID())
    for (const wanted of pins) {
      bench.say(`bytes: ${wanted} pins`)
      for (; made < wanted; made += Math.min(batch, wanted - made))
        await post(dev, '/v1/pins', { pins: aCatalogue(made, Math.min(batch, wanted - made)) })
      await folded(dev)
      views.push(await viewBytes(dev))
    }
    bench.say(`bytes: ${users * perUser} events, ${feeds} feeds`)
    for (const [at, userId] of userIds.entries()) {
      const engagements = Array.from({ length: perUser }, (_, turn) => {
        const action = (['impression', 'impression', 'closeup', 'click', 'save'] as const)[turn % 5]!
        // A taste: pins of a few topics.
        const pinId = `pin-${(((at % 97) + below(4)) * 100 + below(100)) % made}`
        const place = action === 'save' ? { boardId: `board-${at}` } : {}
        const seen = { sessionId: `session-${at}-${turn >> 4}`, surface: 'home', position: turn % 25 }
        return { eventId: randomUUID(), userId, action, pinId, ...place, ...seen, occurredAt: new Date().toISOString() }
      })
      await post(dev, '/v1/engagements', { engagements })
    }
    await folded(dev)
    const withEvents = await viewBytes(dev)
    for (let at = 0; at < feeds; at++) {
      const answer = await fetch(`${dev.feedUrl}/v1/feed`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ userId: userIds[at % users], pageSize: 25 }),
      })
      await answer.arrayBuffer()
    }
    const note = `freshet dev, ${made} pins with titles and topics, ${users} users with UUIDs and ${perUser} events each, ${feeds} feeds of 25`
    const world = await dev.open()
    return [
      ...viewRows(views, pins, note),
      plainRow('views, one more action', (sum(withEvents) - sum(views.at(-1))) / (users * perUser), 'bytes', '', note),
      ...(await recordRows(world, { events: users * perUser, note })),
      ...(await stateRows(world, note)),
    ]
  } finally {
    await dev.remove()
  }
}

function aCatalogue(first: number, count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, at) => ({
    pinId: `pin-${first + at}`,
    title: `Pin ${first + at} of the catalogue, with a title`,
    creatorId: `creator-${(first + at) % 400}`,
    topics: [`topic-${Math.floor((first + at) / 100) % 500}`],
    imageUrl: `https://images.example.org/pins/${first + at}.jpg`,
    createdAt: new Date().toISOString(),
  }))
}

async function post({ ingestUrl }: DevServer, path: string, body: unknown): Promise<void> {
  const response = await fetch(ingestUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`)
}

async function metricsOf({ operationsUrl }: DevServer): Promise<readonly string[]> {
  return (await (await fetch(`${operationsUrl}/metrics`)).text()).split('\n')
}

async function folded(dev: DevServer): Promise<void> {
  await eventually(
    'everything in state and views',
    async () => {
      const lag = (await metricsOf(dev)).filter((line) => /^freshet_(view|updater)_lag_records/.test(line))
      return lag.length > 0 && lag.every((line) => line.endsWith(' 0')) ? true : null
    },
    600_000,
    200,
  )
}

/** Bytes of the views by service. */
async function viewBytes(dev: DevServer): Promise<ReadonlyMap<string, number>> {
  const bytes = new Map<string, number>()
  for (const line of await metricsOf(dev)) {
    const [, service, value] = /^freshet_view_bytes\{.*?service="([^"]+)".*?\} (\S+)$/.exec(line) ?? []
    if (service !== undefined) bytes.set(service, (bytes.get(service) ?? 0) + Number(value))
  }
  return bytes
}

function sum(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((total, each) => total + each, 0)
}

function viewRows(
  views: readonly ReadonlyMap<string, number>[],
  [few = 0, many = 0]: readonly number[],
  note: string,
): readonly BenchRow[] {
  const [before, after] = views as [ReadonlyMap<string, number>, ReadonlyMap<string, number>]
  return [...after].map(([service, bytes]) =>
    plainRow(
      `views of ${service}, one more pin`,
      (bytes - (before.get(service) ?? 0)) / (many - few),
      'bytes',
      '',
      note,
    ),
  )
}

async function recordRows(
  { log }: World,
  { events, note }: { readonly events: number; readonly note: string },
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const [topic, per] of [
    ['engagements.v1', events],
    ['pin-engagements.v1', events],
    ['pin-features.v1', events],
    ['feeds-served.v1', feeds],
    ['pins.v1', null],
  ] as const) {
    const records = await readTopic(log, topic)
    const bytes = records.reduce(
      (total, { key, value }) => total + key.length + (value?.length ?? 0) + aroundRecordBytes,
      0,
    )
    const what = per === feeds ? 'a feed' : per === null ? 'a pin' : 'an event'
    rows.push(
      plainRow(`${topic}, for ${what}`, bytes / (per ?? records.length), 'bytes', '', `${note}; a copy, not packed`),
    )
  }
  return rows
}

async function stateRows({ log, store }: World, note: string): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const [scope, what] of [
    ['user.1', 'state of a user'],
    ['pin.1', 'state of a pin or board'],
  ] as const) {
    let [count, bytes] = [0, 0]
    for (let partition = 0; partition < (await log.partitionCount('engagements.v1')); partition++)
      for await (const page of store.scan(scope, partition))
        for (const { key, value } of page) {
          count++
          bytes += key.length + value.length
        }
    rows.push(plainRow(what, bytes / count, 'bytes', '', `${note}; ${count} of them`))
  }
  return rows
}
