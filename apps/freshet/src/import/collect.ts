import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import type { Engagement } from '@freshet/domain/engagement'
import { correctEngagement } from '@freshet/event-ingest/event-time'
import type { Progress } from '@freshet/service/progress'
import { parseLine, RecordingError } from '../evaluation/recording.ts'
import type { Destination, Refusal } from './destination.ts'
import { eventHash, encodeAndScan } from './event-bytes.ts'
import { createKeySet } from '@freshet/columns/key-set'
import type { FilePlan } from './plan.ts'
import { readLines, readRows } from './rows.ts'
import type { Sorter } from './sorter.ts'
import { refuseRow, type Tally } from './tally.ts'

/** Destinations and options of reading. */
export interface Collecting {
  /** null: a dry run, which writes nothing. */
  readonly destination: Destination | null
  readonly sorter: Sorter
  readonly tally: Tally
  /** The pins of the engagements. */
  readonly seenPins: Set<string>
  readonly nowMs: number
  readonly rejectFutureMs: number
  readonly progress: Progress
  readonly onRead: (bytes: number) => void
  /** Called with each event as the import would post it. */
  readonly onEvent: (kind: 'pin' | 'engagement', event: unknown) => void
  /** Awaited between rows, again and again, so that the process can do other work. */
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
}

interface PlacedPin {
  readonly value: unknown
  readonly place: string
}

/** Reads files. Writes catalogue entries to the destination; checks engagements by the rules of event-ingest and adds them to the sorter. */
export async function collect(plans: readonly FilePlan[], to: Collecting): Promise<void> {
  const { destination, sorter, tally } = to
  const inThisImport = createKeySet()
  let pins: PlacedPin[] = []

  const flushPins = async (): Promise<void> => {
    const batch = pins
    pins = []
    if (batch.length === 0 || destination === null) return
    const outcomes = await destination.takePins(batch.map(({ value }) => value))
    outcomes.forEach((outcome, at) => {
      if (outcome === 'accepted') tally.pins++
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
    const read = readEngagement(value, to)
    if ('code' in read) {
      refuseRow(tally, `${plans[file]?.sample.file ?? ''}:${line}`, read)
      return
    }
    to.onEvent('engagement', value)
    const scan = encodeAndScan(read, to.nowMs)
    const id = eventHash(scan)
    if (read.subject.kind === 'pin') to.seenPins.add(read.subject.pinId)
    if (!inThisImport.add(id.high, id.low)) tally.repeated++
    else if (destination?.has(id) === true) tally.imported++
    else return sorter.add({ atMs: read.occurredAtMs, file, line, id, value: scan.bytes })
    return
  }

  for (const [file, plan] of plans.entries()) {
    const count = (): Promise<void> | undefined => {
      tally.read++
      if ((tally.read & 1023) !== 0) return undefined
      to.progress.advance(1024)
      to.signal.throwIfAborted()
      return to.pause()
    }
    if (plan.kind === 'recording') {
      for await (const { line, text } of readLines(plan.sample, to.onRead)) {
        await count()
        await takeRecorded(text, file, line, plan.sample.file)
      }
    } else {
      for await (const row of readRows(plan.sample, plan.shape, to.onRead)) {
        const pausing = count()
        if (pausing !== undefined) await pausing
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
  to.progress.advance(tally.read & 1023)

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

/** Reads an engagement by the rules of event-ingest, except that it may have any age. */
function readEngagement(value: unknown, { nowMs, rejectFutureMs }: Collecting): Engagement | Refusal {
  const parsed = parseEngagementJson(value, '')
  if (!parsed.ok) return parsed.problem
  const limits = { maxEventAgeDays: 0, maxFutureMs: rejectFutureMs, rejectFutureMs }
  const timed = correctEngagement(parsed.engagement, '', { nowMs, shiftMs: 0 }, limits)
  if ('code' in timed) return timed
  const { userId, subject } = timed
  const isText = !userId.includes('\ufffd') && !(subject.kind === 'pin' && subject.pinId.includes('\ufffd'))
  return isText ? timed : notUtf8
}

const notUtf8: Refusal = { code: 'EVENT_TEXT_INVALID', field: '', message: 'an id contains bytes that are not UTF-8' }
