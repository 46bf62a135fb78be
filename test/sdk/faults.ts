import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { World } from '../harness/cluster.ts'
import { eventually, pass } from '../harness/eventually.ts'
import { startFaultProxy, type Fault, type FaultProxy } from '../harness/fault-proxy.ts'
import { appliedOf } from '../harness/oracle.ts'
import { readTopic } from '../harness/read-topic.ts'
import type { DevServer } from './dev-server.ts'
import { startPageServer } from './page-server.ts'

/** What happened to the events of one scenario. */
export interface FaultRow {
  readonly scenario: string
  /** Events that the SDK took: the promise of their call was resolved. */
  readonly tracked: number
  /** Events that it was given besides, when their page or process died. */
  readonly unanswered: number
  readonly requests: number
  /** Records in the log, with repeats that the updater drops. */
  readonly records: number
  readonly lost: number
  readonly doubled: number
  readonly rejectedOrDropped: number
  readonly seconds: number
}

/** What the scenarios need. */
export interface FaultSetUp {
  readonly dev: DevServer
  /** null: only those in Node run. */
  readonly browser: Browser | null
  /** The folder of an app that installed the SDK. */
  readonly project: string
  /** How long an outage lasts. */
  readonly outageMs: number
}

/** What a scenario does its work with. */
interface Stage {
  readonly name: string
  readonly proxy: FaultProxy
  readonly set: FaultSetUp
  readonly context: BrowserContext
  /** A new page with a client. */
  open(): Promise<Page>
  /** Tracks events in a page, one every `everyMs`; resolves when it has called for all. */
  track(page: Page, count: number, everyMs?: number): Promise<void>
  /** Waits until nothing waits in the page's client. */
  drained(page: Page): Promise<void>
  taken(id: string): void
  called(id: string): void
  ended(id: string): void
}

/** Waits for a server that is away, and then for the pause before the next attempt. */
const drainDeadlineMs = 60_000

// A strict page: nothing may be made from a text.
const pageOf = (ingestUrl: string, name: string): string => `<!doctype html>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src ${ingestUrl}">
<script src="/freshet.js"></script><script>
window.options = {
  ingestUrl: '${ingestUrl}', name: '${name}', userId: 'sdk-${name}', flushIntervalMs: 100, maxBatchEvents: 5,
  initialRetryMs: 100, maxRetryMs: 1000, requestTimeoutMs: 1500,
  onRejected: ({ event }) => window.ended(event.eventId), onDropped: ({ event }) => window.ended(event.eventId),
  onError: (error) => window.failures.add(error.name),
}
window.client = freshet.createFreshet(options)
window.failures = new Set()
let number = 0
const run = Math.random().toString(36).slice(2)
window.one = () => {
  const eventId = '${name}-' + run + '-' + number++
  window.called(eventId)
  client.click({ pinId: 'pin' + number % 7, feedId: 'f', position: 0, surface: 'home' }, { eventId }).then(window.taken)
}
window.many = async (count, everyMs) => {
  for (let i = 0; i < count; i++) { window.one(); if (everyMs > 0) await new Promise((done) => setTimeout(done, everyMs)) }
}
</script>`

/** One fault after another for each request, over and over. */
const inTurn = (...faults: readonly Fault[]): (() => Fault) => {
  let request = 0
  return () => faults[request++ % faults.length]!
}

/** A scenario. */
export type Scenario = readonly [name: string, run: (stage: Stage) => Promise<void>]

/** The scenarios in Chromium. */
export const pageScenarios: readonly Scenario[] = [
  [
    'outage',
    async ({ proxy, set, open, track, drained }) => {
      const page = await open()
      await track(page, 10)
      proxy.set('refuse')
      await track(page, 100, set.outageMs / 100)
      proxy.set('none')
      await drained(page)
    },
  ],
  [
    'answers 500, 503 and 429',
    async ({ proxy, open, track, drained }) => {
      const page = await open()
      proxy.set(inTurn({ status: 503 }, 'none', { status: 500 }, 'none', 'none', { status: 429 }, 'none', 'none'))
      await track(page, 40, 10)
      await drained(page)
    },
  ],
  [
    'answers cut off',
    async ({ proxy, open, track, drained }) => {
      const page = await open()
      proxy.set(inTurn('cut', 'cut', 'none'))
      await track(page, 40, 10)
      await drained(page)
    },
  ],
  [
    'answers later than the time limit',
    async ({ proxy, open, track, drained }) => {
      const page = await open()
      proxy.set(inTurn({ delayMs: 2_500 }, 'none'))
      await track(page, 30, 20)
      await drained(page)
    },
  ],
  [
    'offline start, page closed, later online',
    async ({ proxy, open, track, drained }) => {
      proxy.set('refuse')
      const page = await open()
      await track(page, 30, 10)
      await page.close({ runBeforeUnload: true })
      proxy.set('none')
      await drained(await open())
    },
  ],
  [
    'tab killed',
    async ({ context, proxy, open, track, drained }) => {
      for (const fault of ['none', 'refuse', 'hang', 'cut'] as const) {
        proxy.set(fault)
        const page = await open()
        const tracking = track(page, 1_000, 5).catch(() => undefined)
        await pass(400)
        const session = await context.newCDPSession(page)
        session.send('Page.crash').catch(() => undefined)
        await new Promise((crashed) => page.once('crash', crashed))
        await page.close()
        await tracking
      }
      proxy.set('none')
      await drained(await open())
    },
  ],
  [
    'reload in mid-send',
    async ({ proxy, open, track, drained }) => {
      proxy.set({ delayMs: 150 })
      const page = await open()
      for (let i = 0; i < 6; i++) {
        await track(page, 12)
        await pass(30 + 40 * i)
        await page.reload()
      }
      await drained(page)
    },
  ],
  [
    'page left right after a click',
    async ({ proxy, open, track, drained }) => {
      proxy.set({ delayMs: 50 })
      for (let i = 0; i < 20; i++) {
        const page = await open()
        await track(page, 3)
        await page.goto('about:blank')
        await page.close()
      }
      await drained(await open())
    },
  ],
  [
    'server killed and started again',
    async ({ set: { dev }, open, track, drained }) => {
      const page = await open()
      const tracking = track(page, 300, 10)
      await pass(700)
      await dev.process.kill()
      await pass(500)
      await dev.process.start()
      await tracking
      await drained(page)
    },
  ],
  [
    'quota full',
    async ({ context, proxy, open, track, drained }) => {
      const page = await open()
      proxy.set('refuse')
      // Before the first write: the browser looks at the quota only now and then.
      const session = await context.newCDPSession(page)
      const { origin } = new URL(page.url())
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
      await track(page, 200)
      await pass(300)
      const failures = await page.evaluate('[...failures].join()')
      if (!String(failures).includes('QuotaExceededError')) throw new Error(`the quota was not full: ${failures}`)
      proxy.set('none')
      await drained(page)
      await session.send('Storage.overrideQuotaForOrigin', { origin })
    },
  ],
  ['two tabs', (stage) => twoTabs(stage)],
  [
    'two tabs without Web Locks',
    async (stage) => {
      await stage.context.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")
      await twoTabs(stage)
    },
  ],
]

async function twoTabs({ proxy, open, track, drained }: Stage): Promise<void> {
  proxy.set(inTurn('none', 'cut', { delayMs: 100 }, 'none', 'cut', { status: 500 }))
  const first = await open()
  const second = await open()
  await Promise.all([track(first, 80, 10), track(second, 80, 10)])
  await first.close({ runBeforeUnload: true })
  await track(second, 20)
  await drained(second)
}

/** The scenario of a server in Node. */
export const nodeScenarios: readonly Scenario[] = [
  [
    'Node killed in mid-send',
    async ({ name, proxy, set, called, taken, ended }) => {
      const file = join(set.project, 'server.mjs')
      writeFileSync(file, serverOf(proxy.url, name))
      for (const fault of ['none', 'cut', 'refuse', { delayMs: 100 }] as const) {
        proxy.set(fault)
        await runServer(file, { count: 100_000, killAfterMs: 500 }, { called, taken, ended })
      }
      proxy.set(inTurn('none', 'cut'))
      await runServer(file, { count: 50 }, { called, taken, ended })
    },
  ],
]

const serverOf = (ingestUrl: string, name: string): string => `import { createFreshet } from '@freshet/client'
import { writeSync } from 'node:fs'
const say = (what, id) => writeSync(1, what + ' ' + id + '\\n')
const client = createFreshet({
  ingestUrl: '${ingestUrl}', name: '${name}', storage: { file: 'queue-${name}.jsonl' }, flushIntervalMs: 20, maxBatchEvents: 20,
  initialRetryMs: 50, maxRetryMs: 200, requestTimeoutMs: 1500,
  onRejected: ({ event }) => say('ended', event.eventId), onDropped: ({ event }) => say('ended', event.eventId),
})
const run = process.pid
for (let i = 0; i < Number(process.argv[2]); i++) {
  const eventId = '${name}-' + run + '-' + i
  say('called', eventId)
  client.click('pin' + i % 7, { eventId, userId: 'sdk-${name}' }).then((id) => say('taken', id))
  await new Promise((done) => setTimeout(done, 2))
}
while ((await client.flush()).left > 0) await new Promise((done) => setTimeout(done, 50))
await client.close()
`

async function runServer(
  file: string,
  { count, killAfterMs }: { readonly count: number; readonly killAfterMs?: number },
  says: Pick<Stage, 'called' | 'taken' | 'ended'>,
): Promise<void> {
  const child = spawn(process.execPath, [file, String(count)], {
    cwd: join(file, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let errors = ''
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  if (killAfterMs !== undefined) {
    await eventually('the server runs', () => (text.includes('taken') ? true : null), 20_000)
    await pass(killAfterMs)
    child.kill('SIGKILL')
  }
  const code = await ended
  if (killAfterMs === undefined && code !== 0) throw new Error(`the server ended with ${code}: ${errors}`)
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, id] = line.split(' ') as ['called' | 'taken' | 'ended', string]
    says[what](id)
  }
}

interface Told {
  readonly name: string
  readonly scenario: string
  readonly called: Set<string>
  readonly taken: Set<string>
  readonly ended: Set<string>
  readonly requests: number
  readonly seconds: number
}

/** Plays scenarios, then stops the server and compares what the SDK took with the log and the states. */
export async function playFaults(
  set: FaultSetUp,
  scenarios: readonly Scenario[],
  onPlayed: (scenario: string, seconds: number) => void = () => undefined,
): Promise<readonly FaultRow[]> {
  const told: Told[] = []
  for (const [index, [scenario, run]] of scenarios.entries()) {
    const one = await play(set, `s${index}`, [scenario, run])
    told.push(one)
    onPlayed(scenario, one.seconds)
  }
  return judge(await set.dev.open(), told)
}

async function play(set: FaultSetUp, name: string, [scenario, run]: Scenario): Promise<Told> {
  const { dev, browser, project } = set
  const called = new Set<string>()
  const taken = new Set<string>()
  const ended = new Set<string>()
  const proxy = await startFaultProxy(dev.ingestUrl)
  const script = `file:${join(project, 'node_modules/@freshet/client/dist/freshet.iife.js')}`
  const pages = await startPageServer({ '/': pageOf(proxy.url, name), '/freshet.js': script })
  const context = (await browser?.newContext()) as BrowserContext
  await context?.exposeFunction('called', (id: string) => void called.add(id))
  await context?.exposeFunction('taken', (id: string) => void taken.add(id))
  await context?.exposeFunction('ended', (id: string) => void ended.add(id))
  const from = performance.now()
  try {
    await run({
      ...{ name, proxy, set, context },
      async open() {
        const page = await context.newPage()
        await page.goto(pages.url)
        return page
      },
      track: (page, count, everyMs = 0) => page.evaluate(`many(${count}, ${everyMs})`),
      async drained(page) {
        const left = async () => (await page.evaluate<{ readonly left: number }>('client.flush()')).left
        await eventually(
          `${scenario}: everything sent`,
          async () => ((await left()) === 0 ? true : null),
          drainDeadlineMs,
          100,
        )
      },
      called: (id) => void called.add(id),
      taken: (id) => void taken.add(id),
      ended: (id) => void ended.add(id),
    })
  } finally {
    await context?.close()
    pages.close()
    await proxy.close()
  }
  const seconds = (performance.now() - from) / 1000
  return { name, scenario, called, taken, ended, requests: proxy.requests(), seconds }
}

async function judge(world: World, told: readonly Told[]): Promise<readonly FaultRow[]> {
  /** By scenario: ids begin with its name. */
  const records = new Map<string, string[]>()
  const users = new Map<string, Set<string>>()
  for (const { value } of await readTopic(world.log, 'engagements.v1')) {
    if (isUserMerge(value)) continue
    const { eventId, userId } = decodeReceivedEngagement(value ?? new Uint8Array()).engagement
    const [name = ''] = eventId.split('-')
    records.set(name, [...(records.get(name) ?? []), eventId])
    users.set(name, (users.get(name) ?? new Set()).add(userId))
  }
  return Promise.all(
    told.map(async ({ name, scenario, called, taken, ended, requests, seconds }) => {
      const own = records.get(name) ?? []
      const applied = await Promise.all([...(users.get(name) ?? [])].map((userId) => appliedOf(world, userId)))
      const distinct = new Set<string>(own)
      return {
        scenario,
        tracked: taken.size,
        unanswered: [...called].filter((id) => !taken.has(id)).length,
        requests,
        records: own.length,
        lost: [...taken].filter((id) => !distinct.has(id) && !ended.has(id)).length,
        doubled: applied.reduce((sum, count) => sum + count, -distinct.size),
        rejectedOrDropped: ended.size,
        seconds,
      }
    }),
  )
}

/** The rows as a table. */
export function faultTable(rows: readonly FaultRow[]): string {
  const head = ['scenario', 'tracked', 'unanswered', 'requests', 'records', 'lost', 'doubled', 'reported', 's']
  const lines = rows.map((row) => [
    row.scenario,
    ...[row.tracked, row.unanswered, row.requests, row.records, row.lost, row.doubled, row.rejectedOrDropped].map(
      String,
    ),
    row.seconds.toFixed(1),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)))
  return [head, widths.map((width) => '-'.repeat(width)), ...lines]
    .map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`)
    .join('\n')
}
