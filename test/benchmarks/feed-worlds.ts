import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { digineticaLines, movietweetingsLines } from '../quality/convert.ts'
import { recordsOf, syntheticWorld, type Records } from './synthetic.ts'

/** A catalogue with a history, and the users who ask for feeds. */
export interface FeedWorld {
  readonly name: string
  readonly records: readonly Records[]
  readonly userIds: readonly string[]
  readonly pins: number
  readonly engagements: number
}

const dataFolder = join(import.meta.dirname, '../../../shared/data')
/** The last four weeks of DIGINETICA: about as many clicks as MovieTweetings has ratings. */
const digineticaPeriods = [13, 14, 15, 16]

/** The worlds that GetFeed is measured in: an invented one, and the public data sets that are there. `say` gets the names of the others. */
export async function feedWorlds(quick: boolean, say: (text: string) => void): Promise<readonly FeedWorld[]> {
  const worlds = [invented(quick)]
  if (quick) return worlds
  const movies = join(dataFolder, 'movietweetings')
  if (existsSync(movies)) worlds.push(await recorded('MovieTweetings', movietweetingsLines(movies)))
  else say('SKIPPED: GetFeed on MovieTweetings: ../shared/data/movietweetings is not there')
  const shop = join(dataFolder, 'diginetica')
  if (existsSync(shop)) worlds.push(await recorded('DIGINETICA', digineticaLines(shop, digineticaPeriods)))
  else say('SKIPPED: GetFeed on DIGINETICA: ../shared/data/diginetica is not there')
  return worlds
}

function invented(quick: boolean): FeedWorld {
  const users = 1_000
  const size = { pins: quick ? 1_000 : 10_000, users, engagements: quick ? 3_000 : 40_000 }
  const world = syntheticWorld({ ...size, endMs: Date.now(), overMs: 7_200_000, visualWidth: 0, name: 'feeds' })
  return {
    name: 'invented data',
    records: recordsOf(world),
    userIds: Array.from({ length: users }, (_, user) => `user-${user}`),
    pins: size.pins,
    engagements: size.engagements,
  }
}

/** A data set as records of the log. Pins that only engagements name get an entry of their own in the catalogue. */
async function recorded(name: string, lines: AsyncIterable<Readonly<Record<string, unknown>>>): Promise<FeedWorld> {
  const pins = new Map<string, NewRecord>()
  const engagements: NewRecord[] = []
  const userIds = new Set<string>()
  const addPin = (value: unknown): void => {
    const parsed = parsePinJson(value, 'pin')
    if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed)}`)
    const { change } = parsed
    const key = change.kind === 'upsert' ? change.pin.pinId : change.pinId
    pins.set(key, { key, value: encodePinChange(change), partition: null })
  }
  for await (const { pin, engagement } of lines) {
    if (pin !== undefined) addPin(pin)
    if (engagement === undefined) continue
    const parsed = parseEngagementJson(engagement, 'engagement')
    if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed)}`)
    const { userId, subject, occurredAtMs } = parsed.engagement
    if (subject.kind === 'pin' && !pins.has(subject.pinId)) addPin({ pinId: subject.pinId })
    userIds.add(userId)
    engagements.push({ key: userId, value: encodeEngagement(parsed.engagement, occurredAtMs), partition: null })
  }
  return {
    name,
    records: [
      { topic: 'pins.v1', records: [...pins.values()] },
      { topic: 'engagements.v1', records: engagements },
    ],
    userIds: [...userIds],
    pins: pins.size,
    engagements: engagements.length,
  }
}
