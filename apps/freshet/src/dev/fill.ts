import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Ingest } from '@freshet/event-ingest/ingest'
import type { PictureCatalogue } from '@freshet/pictures/catalogue'
import { sampleEngagements, sampleUsers, smallPast, somePins } from './sample.ts'

/** Number of accepted events of the sample. */
export interface Filled {
  readonly pins: number
  readonly engagements: number
}

/** Whether a data folder holds the sample. A start that is killed while it fills the folder is repeated by the next one. */
export type SampleMark = 'absent' | 'unfinished' | 'complete'

/** The file in a data folder that says how far the sample is. */
export const sampleMarkName = 'sample'

const markFile = (folder: string): string => `${folder}/${sampleMarkName}`

/** What the folder says about the sample. */
export function readSampleMark(folder: string): SampleMark {
  if (!existsSync(markFile(folder))) return 'absent'
  return readFileSync(markFile(folder), 'utf8') === 'unfinished' ? 'unfinished' : 'complete'
}

/** Notes in the folder how far the sample is. */
export function writeSampleMark(folder: string, mark: Exclude<SampleMark, 'absent'>): void {
  writeFileSync(markFile(folder), mark)
}

/** Whether the log has never had a record. */
export async function isEmpty(log: EventLog): Promise<boolean> {
  const ends = [...(await log.ends('pins.v1')), ...(await log.ends('engagements.v1'))]
  return ends.every((end) => end === 0)
}

/** Posts about `maxPins` pictures and the engagements of simulated users to ingest, like a client. */
export async function fillWithSample(
  ingest: Ingest,
  catalogue: PictureCatalogue,
  { maxPins, nowMs, imageBase }: { readonly maxPins: number; readonly nowMs: number; readonly imageBase?: string },
): Promise<Filled> {
  const { namedUsers } = await import('@freshet/pictures/users')
  const random = createSeededRandom('sample')
  const pins = somePins(catalogue.pins(nowMs, imageBase), maxPins)
  const users = sampleUsers(namedUsers, pins, smallPast, random)
  const engagements = sampleEngagements(users, pins, smallPast, random, nowMs)
  const taken = { pins: 0, engagements: 0 }
  for (const batch of batches(pins))
    taken.pins += checkAccepted(await ingest.takePins({ events: batch, read: parsePinJson, single: false, bytes: 0 }))
  for (const batch of batches(engagements)) {
    taken.engagements += checkAccepted(
      await ingest.takeEngagements({
        events: batch,
        read: parseEngagementJson,
        single: false,
        bytes: 0,
        clock: { sentAtMs: null, offsetMs: 0 },
      }),
    )
  }
  return taken
}

function checkAccepted(answer: Awaited<ReturnType<Ingest['takePins']>>): number {
  if (answer.kind === 'refused') throw new Error(`the sample was refused: ${answer.problem.message}`)
  const refused = answer.receipts.find((receipt) => !('token' in receipt))
  if (refused !== undefined && 'message' in refused)
    throw new Error(`the sample contains an invalid event: ${refused.message}`)
  return answer.accepted
}

function* batches<T>(list: readonly T[], size = 500): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size)
}
