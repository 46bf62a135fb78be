import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { serviceRights, type ServiceRights } from '@freshet/contracts/service-rights'
import { topicLayouts, topics } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest } from '@freshet/event-ingest/ingest'
import { aWhole } from '@freshet/freshet/whole.fixture'
import { createMetrics } from '@freshet/service/metrics'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { edgesOf, type Edge } from './data-flow.ts'
import { importsOf } from './import-graph.ts'

const root = join(import.meta.dirname, '../..')
const apps = readdirSync(join(root, 'apps'))
/** All but the composition and the page, which write and read no topic themselves. */
const services = apps.filter((app) => app !== 'freshet' && app !== 'console')
/** The README says that these are not drawn. */
const notDrawn = [
  'erasures.v1',
  'creators.v1',
  'boards.v1',
  'dead-letters.v1',
  'engagements-late.v1',
  'models.v1',
  'model-files.v1',
]

const diagram = /## How data flows\n+```\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!
const drawn = edgesOf(diagram, services)

/** The service on whose behalf the log is asked: the first one on the stack. */
function asker(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 100
  const { stack = '' } = new Error()
  Error.stackTraceLimit = limit
  return [...stack.matchAll(/apps\/([a-z-]+)\/src/g)].map((match) => match[1]!).find((app) => services.includes(app))
}

/** The log, with a note of who writes and reads which topic. */
function watched(log: EventLog, edges: Set<Edge>): EventLog {
  return {
    ...log,
    append(topic, records, options) {
      const app = asker()
      if (app !== undefined && records.length > 0) edges.add(`${app} → ${topic}`)
      return log.append(topic, records, options)
    },
    readGroup(options) {
      const app = asker()
      for (const topic of options.topics) if (app !== undefined) edges.add(`${topic} → ${app}`)
      return log.readGroup(options)
    },
    readAll(options) {
      const app = asker()
      for (const topic of options.topics) if (app !== undefined) edges.add(`${topic} → ${app}`)
      return log.readAll(options)
    },
  }
}

/** What the services write and read when all of them run and a feed is asked for. */
async function edgesInAction(): Promise<Set<Edge>> {
  const edges = new Set<Edge>()
  const whole = await aWhole({ trainer: { publishIntervalMs: 100 } }, (log) => watched(log, edges))
  try {
    await whole.pins(['a', 'b', 'c', 'd'].map((pin) => [pin, { title: pin }]))
    for (const userId of ['ada', 'bob', 'eve'])
      await whole.act(...['a', 'b', 'c'].map((on) => ({ userId, action: 'save' as const, on, boardId: userId })))
    await whole.feed()
    await whole.advance(60_000)
    await whole.act({ action: 'click', on: 'd' }, { action: 'click', on: 'a' })
  } finally {
    await whole.stop()
  }
  await ingestOne(edges)
  return edges
}

async function ingestOne(edges: Set<Edge>): Promise<void> {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(2))
  const ingest = createIngest({
    log: watched(log, edges),
    clock,
    config: z.object(ingestSettings).parse({}),
    metrics: createMetrics(),
    report: () => undefined,
  })
  await ingest.eraseUser('ada')
  const one = { events: [{}], single: true, bytes: 1 }
  const parsed = { ok: true, change: { kind: 'delete', pinId: 'a' } } as never
  await ingest.takePins({ ...one, read: () => parsed })
  const engagement = {
    eventId: 'e',
    userId: 'ada',
    sessionId: null,
    action: 'click',
    subject: { kind: 'pin', pinId: 'a' },
    boardId: null,
    occurredAtMs: clock.now(),
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
  const read = () => ({ ok: true, engagement }) as never
  await ingest.takeEngagements({ ...one, clock: { sentAtMs: null, offsetMs: 0 }, read })
}

/** Which service calls which: those whose client its `main.ts` makes. */
function callEdges(): Set<Edge> {
  const edges = services.flatMap((app) =>
    importsOf(readFileSync(join(root, `apps/${app}/src/main.ts`), 'utf8'))
      .map((specifier) => /^@freshet\/adapters\/grpc\/(.+)-client$/.exec(specifier)?.[1])
      .filter((client) => client !== undefined && services.includes(client))
      .map((client): Edge => `${app} → ${client}`),
  )
  return new Set(edges)
}

describe('the diagram of the data flow in the README', () => {
  it('shows who writes and reads each topic, and who calls whom, exactly as the services do', async () => {
    const real = [...(await edgesInAction()), ...callEdges()].filter(
      (edge) => !notDrawn.some((topic) => edge.includes(topic)),
    )
    expect([...drawn].sort()).toEqual(real.sort())
  })

  it('needs no right that the services do not have', async () => {
    const allowed = new Set(
      Object.entries<ServiceRights>(serviceRights).flatMap(([service, { log }]) => [
        ...log.write.map((topic): Edge => `${service} → ${topic}`),
        ...log.read.map((topic): Edge => `${topic} → ${service}`),
      ]),
    )
    expect([...(await edgesInAction())].filter((edge) => !allowed.has(edge))).toEqual([])
  })

  it('names every service, and every topic except those that it says are left out', () => {
    expect(services.filter((service) => !diagram.includes(service))).toEqual([])
    const left = Object.keys(topics).filter((topic) => ![...drawn].some((edge) => edge.split(' → ').includes(topic)))
    expect(left.sort()).toEqual([...notDrawn].sort())
  })

  it('is parsed correctly', () => {
    const text = [
      'ann ──▶ [x.v1  key] ──▶ bob ──▶ out',
      '                         └─▶ [y.v1]',
      'cat ◀── x.v1, y.v1 ──▶ [z.v1]',
      'dan   folds z.v1, x.v1',
    ].join('\n')
    expect([...edgesOf(text, ['ann', 'bob', 'cat', 'dan'])].sort()).toEqual(
      [
        'ann → x.v1',
        'bob → y.v1',
        'cat → z.v1',
        'x.v1 → bob',
        'x.v1 → cat',
        'x.v1 → dan',
        'y.v1 → cat',
        'z.v1 → dan',
      ].sort(),
    )
  })
})
