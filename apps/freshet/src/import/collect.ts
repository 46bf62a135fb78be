import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { timedEngagement } from '@freshet/event-ingest/event-time'
import type { Progress } from '@freshet/service/progress'
import { parseLine, RecordingError } from '../evaluation/recording.ts'
import type { Destination } from './destination.ts'
import { bytesOfEngagement, eventHash, scanned } from './event-bytes.ts'
import { createIdSet } from './id-set.ts'
import type { FilePlan } from './plan.ts'
import { readLines, readRows } from './rows.ts'
import type { Sorter } from './sorter.ts'
import { refuseRow, type Tally } from './tally.ts'

/** Where what is read goes. */
export interface Collecting {
  /** null: nothing is taken (a dry run). */
  readonly destination: Destination | null
  readonly sorter: Sorter
  readonly tally: Tally
  /** Pins that engagements are about. */
  readonly seenPins: Set<string>
  readonly nowMs: number
  readonly rejectFutureMs: number
  readonly progress: Progress
  readonly onRead: (bytes: number) => void
  /** Told of the first events, as they would be posted. */
  readonly onEvent: (kind: 'pin' | 'engagement', event: unknown) => void
  readonly signal: AbortSignal
}

interface PlacedPin {
  readonly value: unknown
  readonly place: string
}

/** Reads files: catalogue entries are taken at once, engagements are checked by the rules of event-ingest and put aside to be sorted. */
export async function collect(plans: readonly FilePlan[], to: Collecting): Promise<void> {
  const { destination, sorter, tally } = to
  const here = createIdSet()
  let pins: PlacedPin[] = []

  const flushPins = async (): Promise<void> => {
    const batch = pins
    pins = []
    if (batch.length === 0 || destination === null) return
    const outcomes = await destination.takePins(batch.map(({ value }) => value))
    outcomes.forEach((outcome, at) => {
      if (outcome === 'taken') tally.pins++
      else if (outcome === 'unchanged') tally.unchanged++
      else refuseRow(tally, batch[at]?.place ?? '', outcome)
    })
  }
  const takePin = (value: unknown, place: string): Promise<void> | undefined => {
    to.onEvent('pin', value)
    pins.push({ value, place })
    return pins.length >= (destination?.batchEvents ?? 1000) ? flushPins() : undefined
  }
  const takeEngagement = (value: unknown, file: number, line: number): Promise<void> | undefined => {
    const parsed = parseEngagementJson(value, '')
    const place = `${plans[file]?.sample.file ?? ''}:${line}`
    if (!parsed.ok) return void refuseRow(tally, place, parsed.problem)
    const timed = timedEngagement(parsed.engagement, '', { nowMs: to.nowMs, shiftMs: 0 }, limitsOf(to))
    if ('code' in timed) return void refuseRow(tally, place, timed)
    if (
      hasReplacement(parsed.engagement.userId) ||
      (timed.subject.kind === 'pin' && hasReplacement(timed.subject.pinId))
    )
      return void refuseRow(tally, place, notUtf8)
    to.onEvent('engagement', value)
    const bytes = bytesOfEngagement(timed, to.nowMs)
    const id = eventHash(scanned(bytes))
    if (timed.subject.kind === 'pin') to.seenPins.add(timed.subject.pinId)
    if (!here.add(id.low, id.high)) return void tally.repeated++
    if (destination?.has(id) === true) return void tally.imported++
    return sorter.add({ atMs: timed.occurredAtMs, file, line, value: bytes })
  }

  for (const [file, plan] of plans.entries()) {
    const count = (): void => {
      tally.read++
      to.progress.advance()
      if ((tally.read & 1023) === 0) to.signal.throwIfAborted()
    }
    if (plan.kind === 'recording') {
      for await (const { line, text } of readLines(plan.sample, to.onRead)) {
        count()
        await takeRecorded(text, file, line, plan.sample.file)
      }
    } else {
      for await (const row of readRows(plan.sample, plan.shape, to.onRead)) {
        count()
        const converted = plan.convert(row)
        if ('code' in converted) refuseRow(tally, `${plan.sample.file}:${row.line}`, converted)
        else if ('leftOut' in converted) tally.leftOut++
        else {
          const waiting =
            plan.as === 'pins'
              ? takePin(converted.event, `${plan.sample.file}:${row.line}`)
              : takeEngagement(converted.event, file, row.line)
          if (waiting !== undefined) await waiting
        }
      }
    }
  }
  await flushPins()

  async function takeRecorded(text: string, file: number, line: number, name: string): Promise<void> {
    const place = `${name}:${line}`
    try {
      const recorded = parseLine(text, place)
      if (recorded.kind === 'pin') await takePin(recorded.value, place)
      else if (recorded.kind === 'engagement') await takeEngagement(recorded.value, file, line)
      else tally.leftOut++
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error
      refuseRow(tally, place, { code: error.code, field: '', message: error.message.slice(place.length + 2) })
    }
  }
}

const notUtf8 = { code: 'EVENT_TEXT_INVALID', field: '', message: 'an id holds bytes that are not UTF-8' }

function hasReplacement(id: string): boolean {
  return id.includes('\ufffd')
}

function limitsOf({ rejectFutureMs }: Collecting) {
  return { maxEventAgeDays: 0, maxFutureMs: rejectFutureMs, rejectFutureMs }
}
