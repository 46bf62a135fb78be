import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { readArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { anEngagement } from './pieces.ts'
import { sendRaw } from './send-raw.ts'
import { startTarget } from './target-process.ts'

/**
 * `npm run hostile:flood [-- --seconds N] [--connections N] [--json FILE]`: many connections send batches, bombs, deep JSON and half requests as fast
 * as they can. Prints what came back, how late the event loop of the target was, and its memory. It judges nothing: figures depend on the machine.
 */
const values = readArguments(
  'npm run hostile:flood --',
  {
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '64' },
    json: { type: 'string' },
  },
  { seconds: 'N', connections: 'N', json: 'FILE' },
)

const target = await startTarget()
const untilMs = performance.now() + Number(values.seconds) * 1_000
const statuses = new Map<string, number>()
const head = (path: string, more: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n${more}`
const withBody = (body: Buffer, more = ''): Buffer =>
  Buffer.concat([Buffer.from(head('/v1/engagements', `content-length: ${body.length}\r\n${more}\r\n`)), body])

const batch = Buffer.from(JSON.stringify({ engagements: Array.from({ length: 200 }, () => anEngagement()) }))
const requests = [
  withBody(batch),
  withBody(batch),
  withBody(gzipSync(batch), 'content-encoding: gzip\r\n'),
  withBody(gzipSync(Buffer.alloc(32 << 20, '0')), 'content-encoding: gzip\r\n'),
  withBody(Buffer.from('['.repeat(500_000))),
  withBody(Buffer.from(`{"engagements":[${'0,'.repeat(999)}0]}`)),
  Buffer.from(head('/v1/engagements', 'content-length: 100\r\n\r\n{')),
]

async function flood(first: number): Promise<void> {
  for (let n = first; performance.now() < untilMs; n++) {
    const bytes = requests[n % requests.length] ?? batch
    const { bytes: answer, closed } = await sendRaw(target.ports.ingest, [bytes], { patienceMs: 2_000, quietMs: 0 })
    const status = /^HTTP\/1\.1 (\d{3})/.exec(answer.toString('latin1', 0, 16))?.[1] ?? (closed ? 'closed' : 'silent')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
}

const before = await target.read(true)
await Promise.all(Array.from({ length: Number(values.connections) }, (_, n) => flood(n)))
await sleep(1_000)
const after = await target.read(true)
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
console.log(`answers: ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`)
console.log(`event loop late, ms: p50 ${after.lagMs.p50}, p99 ${after.lagMs.p99}, most ${after.lagMs.max}`)
console.log(`memory: resident ${mib(before.rss)} before, at most ${mib(after.peakRss)}, ${mib(after.rss)} afterwards`)
// What is held is in use: here mostly the accepted events, because the log of the target is in memory.
console.log(`held after a collection of garbage: ${mib(before.heldBytes)} before, ${mib(after.heldBytes)} afterwards`)
console.log(`errors: ${after.errors.length}${target.ended() ?? ''}`)
writeFigures(values.json, {
  columns: ['figure'],
  rows: [
    ...[...statuses].map(([status, count]) => ({ key: `answers ${status}`, cells: [count.toLocaleString('en')] })),
    { key: 'event loop late, p50', cells: [`${after.lagMs.p50} ms`] },
    { key: 'event loop late, p99', cells: [`${after.lagMs.p99} ms`] },
    { key: 'event loop late, longest', cells: [`${after.lagMs.max} ms`] },
    { key: 'resident memory before', cells: [mib(before.rss)] },
    { key: 'resident memory, most', cells: [mib(after.peakRss)] },
    { key: 'resident memory afterwards', cells: [mib(after.rss)] },
  ],
  problems: [...after.errors.map(String), ...(target.ended() === null ? [] : [`the target ended: ${target.ended()}`])],
})
await target.stop()
