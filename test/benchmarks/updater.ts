/**
 * The feature updater on memory adapters: what it costs itself. Bytes of state, events per second of both stages and of a
 * rebuild, and its cache with more users than fit.
 *
 *   node test/benchmarks/updater.ts
 */
import { createHash } from 'node:crypto'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { decodeEngagement, encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinState } from '@freshet/contracts/codecs/pin-state'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import type { Action, Engagement, Subject } from '@freshet/domain/engagement'
import {
  asId,
  type BoardId,
  type CreatorId,
  type EventId,
  type PinId,
  type SessionId,
  type UserId,
} from '@freshet/domain/ids'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { rebuildState } from '@freshet/feature-updater/rebuild'
import { createUpdater } from '@freshet/feature-updater/updater'
import { comparedRow, formatRows, plainRow, type BenchRow } from './row.ts'

const startMs = 1_700_000_000_000
const dayMs = 86_400_000
const partitions = 8

/** All rows of this benchmark; about a minute. */
export async function updaterRows(): Promise<BenchRow[]> {
  return [...sizeRows(), ...(await speedRows()), ...(await cacheRows())]
}

function sizeRows(): BenchRow[] {
  const typicalDays = { days: 30, impressionsADay: 40, actionsADay: 6, follows: 20 }
  const { compactAfterBytes } = updaterConfigOf().fold
  const heavy = userBytes({ days: 60, impressionsADay: 400, actionsADay: 60, follows: 200 })
  const pin = encodePinState(
    foldPin(
      newPinState,
      Array.from({ length: 5000 }, (_, i) =>
        anEngagement(i, i % 10 === 0 ? 'save' : i % 5 === 0 ? 'click' : 'impression', {
          pin: 1,
          user: i % 2500,
          board: i % 400,
        }),
      ),
    ),
  ).length
  const quiet = encodePinState(
    foldPin(
      newPinState,
      Array.from({ length: 20 }, (_, i) => anEngagement(i, i === 7 ? 'click' : 'impression', { pin: 1, user: i })),
    ),
  ).length
  return [
    ...(['number', 'nanoid', 'uuid'] as const).flatMap((form) => {
      const whole = userBytes(typicalDays, form)
      const note = `30 days, 40 impressions and 6 actions a day, 20 follows, ids: ${anId[form]('p', 7)}`
      return [
        plainRow(`user state, typical active user, ids by ${form}, written whole`, whole, 'bytes', '', note),
        plainRow(
          `user state, typical active user, ids by ${form}, largest with what is appended`,
          whole + compactAfterBytes,
          'bytes',
          '≤ 6144',
          note,
        ),
      ]
    }),
    plainRow(
      'user state, heavy user',
      heavy,
      'bytes',
      '',
      '60 days, 400 impressions and 60 actions a day, 200 follows',
    ),
    plainRow('pin state, popular pin', pin, 'bytes', '', '5,000 engagements of 2,500 users, 64 boards kept'),
    plainRow('pin state, quiet pin', quiet, 'bytes', '', '19 impressions, 1 click'),
  ]
}

async function speedRows(): Promise<BenchRow[]> {
  const events = 30_000
  const records = workload(events, 5000)
  const ours: number[] = []
  const theirs: number[] = []
  let rebuilt = 0
  for (let round = 0; round < 2; round++) {
    theirs.push(await bareLoop(records))
    const folded = await bothStages(records, 128 << 20)
    ours.push(folded.perSecond)
    rebuilt = Math.max(rebuilt, folded.rebuiltPerSecond)
  }
  const best = (samples: readonly number[]) => Math.max(...samples.slice(1))
  const note =
    '30,000 events, 5,000 users, 20,000 pins, batches of 500, one process, log and store in memory; seconds of CPU time'
  return [
    comparedRow({
      name: 'updater, both stages',
      value: best(ours),
      unit: 'events/s',
      reference: 'decode and count per user',
      referenceValue: best(theirs),
      aim: '≥ 0.4 of a bare kafkajs loop: `npm run bench` with Kafka',
      note,
    }),
    plainRow('rebuild of user state', rebuilt, 'events/s', '≥ 20000', note),
  ]
}

async function cacheRows(): Promise<BenchRow[]> {
  const events = 30_000
  const cacheBytes = 32 << 20
  const { stats } = await bothStages(workload(events, 1_000_000), cacheBytes)
  const note = `${events} events of 10^6 users, cache of ${cacheBytes >> 20} MiB`
  return [
    plainRow(
      'updater cache, memory',
      stats.cacheBytes / 2 ** 20,
      'MiB',
      `≤ ${(2 * cacheBytes) >> 20} (two stages)`,
      note,
    ),
    plainRow('updater cache, hit rate', stats.cacheHits / stats.cacheReads, 'share', '', note),
  ]
}

/** What a consumer costs that only reads and counts. Events per second of CPU time. */
async function bareLoop(records: readonly NewRecord[]): Promise<number> {
  const log = createMemoryEventLog({ clock: createVirtualClock(startMs) })
  await log.applyTopics(topicLayouts(partitions))
  await append(log, records)
  const counts = new Map<string, number>()
  const before = process.cpuUsage()
  const reader = await log.readGroup({
    group: 'bare',
    topics: ['engagements.v1'],
    maxBatchRecords: 500,
    startAt: () => Promise.resolve(null),
    onError: (error) => {
      throw error
    },
    onBatch: async (batch) => {
      for (const { value } of batch.records) {
        const { userId } = decodeEngagement(value as Uint8Array)
        counts.set(userId, (counts.get(userId) ?? 0) + 1)
      }
      await Promise.resolve()
    },
  })
  await log.drain()
  const perSecond = perCpuSecond(records.length, before)
  await reader.stop()
  await log.close()
  return perSecond
}

async function bothStages(records: readonly NewRecord[], cacheBytes: number) {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({ clock })
  await log.applyTopics(topicLayouts(partitions))
  await append(log, records)
  const fail = (error: Error) => {
    throw error
  }
  const config = updaterConfigOf({ updater: { canaryEveryMs: 0, cacheBytes, maxBatchRecords: 500 } })
  const updater = createUpdater({ log, store, clock, config, onError: fail })
  const before = process.cpuUsage()
  await updater.start()
  await log.drain()
  const perSecond = perCpuSecond(records.length, before)
  const stats = updater.stats()
  await updater.stop()
  const beforeRebuild = process.cpuUsage()
  const report = await rebuildState({
    log,
    store,
    clock,
    config,
    family: 'user',
    generation: null,
    signal: new AbortController().signal,
    onError: fail,
  })
  const rebuiltPerSecond = perCpuSecond(report.records, beforeRebuild)
  if (!report.identical) throw new Error(`the rebuild differs: ${report.examples.join()}`)
  await log.close()
  return { perSecond, rebuiltPerSecond, stats }
}

async function append(log: ReturnType<typeof createMemoryEventLog>, records: readonly NewRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 1000) {
    await log.append('engagements.v1', records.slice(from, from + 1000))
  }
}

function perCpuSecond(events: number, before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return events / ((user + system) / 1e6)
}

function workload(events: number, users: number): readonly NewRecord[] {
  const random = createSeededRandom('updater')
  const draw: readonly Action[] = [...new Array<Action>(6).fill('impression'), 'closeup', 'click', 'save', 'hide']
  return Array.from({ length: events }, (_, i) => {
    const action = draw[Math.floor(random.next() * draw.length)] as Action
    const engagement = anEngagement(i, action, {
      user: Math.floor(random.next() ** 2 * users),
      pin: Math.floor(random.next() ** 3 * 20_000),
      board: Math.floor(random.next() * 5),
      afterMs: i * 20,
    })
    return { key: engagement.userId, value: encodeEngagement(engagement, engagement.occurredAtMs), partition: null }
  })
}

/** Ids of one kind of thing, by their number. */
const anId = {
  number: (kind: string, n: number) => `${kind}-${String(n).padStart(10, '0')}`,
  nanoid: (kind: string, n: number) => createHash('sha256').update(`${kind} ${n}`).digest('base64url').slice(0, 21),
  uuid(kind: string, n: number) {
    const hex = createHash('sha256').update(`${kind} ${n}`).digest('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  },
} as const

function userBytes(
  user: {
    readonly days: number
    readonly impressionsADay: number
    readonly actionsADay: number
    readonly follows: number
  },
  form: keyof typeof anId = 'number',
): number {
  const random = createSeededRandom('user')
  const list: Engagement[] = []
  const pin = () => Math.floor(random.next() * 1e6)
  for (let i = 0; i < user.follows; i++) list.push(anEngagement(i, 'follow', { creator: i, afterMs: i, form }))
  for (let day = 0; day < user.days; day++) {
    const events = user.impressionsADay + user.actionsADay
    for (let i = 0; i < events; i++) {
      // Three sessions a day of half an hour each.
      const afterMs = day * dayMs + (i % 3) * 5 * 3_600_000 + Math.floor(random.next() * 1_800_000)
      const acts = i % Math.ceil(events / user.actionsADay) === 0
      const action = acts
        ? (['closeup', 'click', 'save', 'hide'] as const)[Math.floor(random.next() * 3.2)]
        : 'impression'
      list.push(anEngagement(i, action ?? 'click', { pin: pin(), board: Math.floor(random.next() * 6), afterMs, form }))
    }
  }
  return encodeUserState(foldUser(newUserState, list)).length
}

function anEngagement(
  number: number,
  action: Action,
  about: {
    readonly user?: number
    readonly pin?: number
    readonly creator?: number
    readonly board?: number
    readonly afterMs?: number
    readonly form?: keyof typeof anId
  },
): Engagement {
  const id = anId[about.form ?? 'number']
  const subject: Subject =
    about.creator === undefined
      ? { kind: 'pin', pinId: asId<PinId>(id('p', about.pin ?? 0)) }
      : { kind: 'creator', creatorId: asId<CreatorId>(id('c', about.creator)) }
  return {
    eventId: asId<EventId>(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`),
    userId: asId<UserId>(id('u', about.user ?? 0)),
    sessionId: asId<SessionId>(id('s', Math.floor(((about.afterMs ?? 0) / dayMs) * 4.8))),
    action,
    subject,
    boardId: action === 'save' ? asId<BoardId>(id('b', about.board ?? 0)) : null,
    occurredAtMs: startMs + (about.afterMs ?? number * 1000),
    shown: { feedId: null, position: number % 25, surface: 'home' },
    dwellMs: action === 'closeup' || action === 'click' ? 500 + (number % 20_000) : null,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(formatRows(await updaterRows()))
