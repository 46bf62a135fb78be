import {
  decodeDeadLetter,
  decodeReceivedEngagement,
  encodeDeadLetter,
  encodePinEngagement,
  type DeadLetter,
} from '@freshet/contracts/codecs/onward'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import type { Random } from '@freshet/domain/clock'
import type { Engagement } from '@freshet/domain/engagement'
import { scannedOf } from '@freshet/contracts/codecs/engagement-scan'
import { createPinEngagementBatches } from '@freshet/contracts/codecs/pin-engagement-batch'
import { pinStateKeys } from '@freshet/domain/pin-state'
import type { PinAct } from '@freshet/domain/engagement'
import { allDeadLetters } from '@freshet/feature-updater/dead-letters'
import { replayDeadLetters } from '@freshet/feature-updater/replay-dead-letters'
import { persistently, type Scheduler, type SimProcess } from './scheduler.ts'
import { onwardRows } from './onward-rows.ts'
import type { SimLog } from './sim-log.ts'

/** Dead letters of the simulated past have source positions from here on, which the simulated log never reaches. */
const pastPosition = 1e9

/** Something sent to the second stage. */
export interface Sent {
  readonly key: string
  readonly act: PinAct
}

/** Whether an older version, which could not read this record, wrote the dead letter before the simulation began. */
export function isPastDeadLetter(letter: DeadLetter): boolean {
  return letter.sourcePosition >= pastPosition
}

/** Writes an engagement as a dead letter, as an older version did at either stage; the order of the times is random. */
export function writeDeadLetter(log: SimLog, engagement: Engagement, number: number, random: Random): void {
  const { userId, occurredAtMs } = engagement
  const sourcePosition = pastPosition + number
  const common = { sourcePartition: 0, sourcePosition, code: 'CODEC_INVALID', message: '', schema: '' }
  const draw = random.next()
  const letter =
    draw < 0.5
      ? { sourceTopic: 'engagements.v1', key: userId, value: encodeEngagement(engagement, occurredAtMs) }
      : {
          sourceTopic: 'pin-engagements.v1',
          ...(draw < 0.75 ? single : batch)(engagement, sourcePosition, log.partitions),
        }
  const atMs = Math.floor(random.next() * 1e6)
  log.write('dead-letters.v1', [
    { key: userId, value: encodeDeadLetter({ ...common, ...letter, atMs }), partition: null },
  ])
}

/** What an updater put aside of one record: the first row, as the first stage of before sent it. */
function single(engagement: Engagement, position: number) {
  const [key = ''] = pinStateKeys(engagement)
  const source = { partition: 0, position, index: 0 }
  return { key, value: encodePinEngagement({ engagement, receivedAtMs: engagement.occurredAtMs, source }) }
}

/** What an updater put aside that did not know batches: all that goes to the partition of the first row. */
function batch(engagement: Engagement, position: number, partitions: number) {
  const batches = createPinEngagementBatches(0, partitions)
  batches.add(scannedOf({ engagement, receivedAtMs: engagement.occurredAtMs }), position)
  const [record] = batches.records()
  return { key: record?.key ?? '', value: record?.value ?? new Uint8Array(0), sourcePartition: record?.partition ?? 0 }
}

/** `freshet dlq replay`: given again, all of it, until it has come to an end. */
export async function replayLetters(process: SimProcess, log: SimLog, scheduler: Scheduler): Promise<void> {
  await persistently(() =>
    replayDeadLetters({
      log: log.seenBy(process, scheduler),
      clock: { now: () => 0, sleep: () => scheduler.call(process, 'wait', () => undefined) },
      filter: allDeadLetters,
      maxPerSecond: 1000,
      dryRun: false,
      signal: new AbortController().signal,
      onError: (error) => {
        throw error
      },
    }),
  )
}

/** What replayed dead letters send to the second stage, by the source that identifies the letter. */
export function sentByDeadLetters(log: SimLog): ReadonlyMap<string, Sent> {
  const sent = new Map<string, Sent>()
  for (const { letter, partition, position } of pastDeadLetters(log)) {
    if (letter.sourceTopic !== 'pin-engagements.v1') continue
    onwardRows(letter).forEach(({ key, act }, row) => {
      sent.set(`${log.partitions + partition}:${position}:${row}`, { key, act })
    })
  }
  return sent
}

/** Letters to the first stage that never got there; once there, they are engagements like all others. */
export function lostDeadLetters(log: SimLog): readonly string[] {
  const there = new Set<string>()
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const { value } of log.records('engagements.v1', partition)) {
      if (value !== null) there.add(Buffer.from(value).toString('hex'))
    }
  }
  return pastDeadLetters(log).flatMap(({ letter }) => {
    if (letter.sourceTopic !== 'engagements.v1' || there.has(Buffer.from(letter.value).toString('hex'))) return []
    return [`the letter about ${decodeReceivedEngagement(letter.value).engagement.eventId} was never replayed`]
  })
}

function pastDeadLetters(log: SimLog) {
  return Array.from({ length: log.partitions }, (_, partition) => partition).flatMap((partition) =>
    log.records('dead-letters.v1', partition).flatMap(({ value, position }) => {
      const letter = decodeDeadLetter(value ?? new Uint8Array(0))
      return isPastDeadLetter(letter) ? [{ letter, partition, position }] : []
    }),
  )
}
