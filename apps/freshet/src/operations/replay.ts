import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest } from '@freshet/event-ingest/ingest'
import { silentReport } from '@freshet/service/reporting'
import { createMetrics } from '@freshet/service/metrics'
import { createProgress } from '@freshet/service/progress'
import { z } from 'zod'
import { ArgumentError, whole } from '../arguments.ts'
import { readRecordings } from '../evaluation/recording.ts'
import { OperationError } from './errors.ts'
import { postUntilAccepted, openHttpIntake, type EventKind, type Intake } from './intake.ts'
import { openFolder } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** The arguments of the command, as text. */
export interface ReplayArguments {
  readonly target?: string
  readonly data?: string
  readonly rate?: string
  readonly partitions: string
}

/** Maximum number of events in one request. */
const maxBatchEvents = 500
const maxExamples = 10

/**
 * `freshet replay`: posts the pins and engagements of recordings in order, with their ids and times, so a second run changes
 * nothing. It posts again what the destination refuses temporarily, and lists the events that the destination rejects.
 */
export async function runReplay(
  recordings: readonly string[],
  given: ReplayArguments,
  terminal: Terminal,
): Promise<void> {
  const perSecond = given.rate === undefined ? null : whole(given.rate, '--rate', 1, 10_000_000)
  const batchEvents =
    perSecond === null ? maxBatchEvents : Math.max(1, Math.min(maxBatchEvents, Math.floor(perSecond / 10)))
  const intake = await openIntake(given)
  const progress = createProgress({
    label: 'replaying',
    unit: 'events',
    total: null,
    out: terminal.progress,
    nowMs: terminal.nowMs,
  })
  const accepted = { pins: 0, engagements: 0 }
  const rejected: string[] = []
  let rejections = 0
  let posted = 0
  const startedMs = terminal.nowMs()
  let kind: EventKind = 'pins'
  let pending: { readonly value: unknown; readonly place: string }[] = []

  const flush = async (): Promise<void> => {
    if (pending.length === 0) return
    const events = pending
    pending = []
    const receipts = await postUntilAccepted(intake, kind, events, terminal.signal)
    events.forEach(({ place }, at) => {
      const receipt = receipts[at]
      if (typeof receipt?.token === 'string') accepted[kind]++
      else {
        rejections++
        if (rejected.length < maxExamples)
          rejected.push(`${place}: ${receipt?.code ?? 'no receipt'}: ${receipt?.message ?? ''}`)
      }
    })
    posted += events.length
    progress.advance(events.length)
    const dueMs = perSecond === null ? 0 : (posted / perSecond) * 1000 - (terminal.nowMs() - startedMs)
    if (dueMs > 0) await intake.clock.sleep(dueMs, terminal.signal)
  }

  try {
    for await (const line of readRecordings(recordings)) {
      if (line.kind !== 'pin' && line.kind !== 'engagement') continue
      terminal.signal.throwIfAborted()
      const next = line.kind === 'pin' ? 'pins' : 'engagements'
      if (next !== kind) await flush()
      kind = next
      pending.push({ value: line.value, place: line.place })
      if (pending.length >= batchEvents) await flush()
    }
    await flush()
  } finally {
    await intake.close()
  }
  progress.done()
  terminal.write(`${accepted.pins} pins and ${accepted.engagements} engagements accepted, ${rejections} rejected\n`)
  for (const example of rejected) terminal.write(`  ${example}\n`)
  if (rejections > 0)
    throw new OperationError('EVENTS_REJECTED', `${rejections} events were rejected, the first at ${rejected[0]}`)
}

async function openIntake(given: ReplayArguments): Promise<Intake> {
  if ((given.target === undefined) === (given.data === undefined))
    throw new ArgumentError('give --target URL of an event-ingest, or --data FOLDER of a stopped `freshet dev`')
  if (given.target !== undefined) return openHttpIntake(given.target)
  return openFolderIntake(given)
}

/** Writes to the data folder by the rules of event-ingest, except that events may have any age. */
async function openFolderIntake(given: ReplayArguments): Promise<Intake> {
  const partitions = whole(given.partitions, '--partitions', 1, 1024)
  const platform = await openFolder(given.data === undefined ? {} : { data: given.data }, partitions)
  const { log, clock } = platform
  const config = z.object(ingestSettings).parse({ maxEventAgeDays: 0 })
  const ingest = createIngest({ log, clock, config, metrics: createMetrics(), report: silentReport })
  return {
    clock,
    async post(kind, events) {
      const answer =
        kind === 'pins'
          ? await ingest.takePins({ events, read: parsePinJson, single: false, bytes: 0 })
          : await ingest.takeEngagements({
              events,
              read: parseEngagementJson,
              single: false,
              bytes: 0,
              clock: { sentAtMs: null, offsetMs: 0 },
            })
      return answer.kind === 'taken' ? answer.receipts : { why: answer.problem.message, waitMs: 1000 }
    },
    close: () => platform.close(),
  }
}
