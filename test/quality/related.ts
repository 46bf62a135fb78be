/**
 * `npx node test/quality/related.ts [--every N] [--pins N]`, also the end of `npm run quality`: how much the related pins of the sample have to do with
 * the pin that is open, for named users and somebody new, beside references: the most popular pins, and the nearest by the visual embedding.
 */
import { GetRelatedPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { hash32 } from '@freshet/domain/hash'
import { openSample, type OpenSample } from '@freshet/freshet/dev/open-sample'
import type { PicturePin } from '@freshet/pictures/catalogue'
import { readArguments } from '../harness/arguments.ts'

/** Shares from 0 to 1 over the pins that were open. */
export interface RelatedFigures {
  readonly method: string
  /** Of the first 12, those of the pin's topic, or of the same thing in another style. */
  readonly alike: number
  /** Of the pictures of the same thing in other styles, those among the first 12. */
  readonly sameThing: number
  readonly asked: number
  /** CPU time of a request, ms; null: a reference. */
  readonly cpuMs: number | null
}

const shown = 12

/** Asks one in `every` pins for each of some users, in a sample of about `maxPins`. */
export async function relatedFigures(every: number, maxPins: number): Promise<readonly RelatedFigures[]> {
  const sample = await openSample({ maxPins })
  try {
    const { pins } = sample
    const asked = pins.filter(({ pinId }) => hash32(pinId, 11) % every === 0)
    const users = [...sample.users.slice(0, 3).map(({ userId }) => userId), 'someone-new']
    const rows: RelatedFigures[] = []
    const add = async (method: string, listOf: (pin: PicturePin, userId: string) => Promise<readonly PicturePin[]>) =>
      rows.push(await figuresOf(method, asked, users, pins, listOf))
    const byPopularity = popular(sample)
    await add('most popular', async (pin) => byPopularity.filter((other) => other !== pin).slice(0, shown))
    await add('visual embedding', async (pin) => nearest(pins, pin))
    await warmUp(sample, asked, users)
    const from = process.cpuUsage()
    await add('related pins', (pin, userId) => relatedOf(sample, pin, userId))
    const { user, system } = process.cpuUsage(from)
    rows[rows.length - 1] = { ...rows.at(-1), cpuMs: (user + system) / 1_000 / (asked.length * users.length) }
    return rows
  } finally {
    await sample.close()
  }
}

/** Lets the machine compile what the requests run. */
async function warmUp(sample: OpenSample, asked: readonly PicturePin[], users: readonly string[]): Promise<void> {
  for (let at = 0; at < 200; at++) await relatedOf(sample, asked[at % asked.length]!, users[at % users.length]!)
}

async function relatedOf({ product, byId }: OpenSample, { pinId }: PicturePin, userId: string) {
  const request = GetRelatedPinsRequest.fromPartial({
    ...{ userId, pinId, pageSize: shown, atMs: product.nowMs(), evaluation: { dryRun: true } },
  })
  const { items } = await product.embedded.blender.getRelatedPins(request, { timeoutMs: 60_000 })
  return items.map((item) => byId.get(item.pinId)!)
}

async function figuresOf(
  method: string,
  asked: readonly PicturePin[],
  users: readonly string[],
  pins: readonly PicturePin[],
  listOf: (pin: PicturePin, userId: string) => Promise<readonly PicturePin[]>,
): Promise<RelatedFigures> {
  const things = Map.groupBy(pins, ({ pinId }) => thingOf(pinId))
  let [alike, found, withOthers] = [0, 0, 0]
  for (const pin of asked) {
    const thing = thingOf(pin.pinId)
    const others = things.get(thing)!.length - 1
    for (const userId of users) {
      const list = await listOf(pin, userId)
      alike +=
        list.filter((other) => other.topics[0] === pin.topics[0] || thingOf(other.pinId) === thing).length / shown
      if (others === 0) continue
      withOthers++
      found += list.filter((other) => thingOf(other.pinId) === thing).length / Math.min(others, shown)
    }
  }
  const count = asked.length * users.length
  return { method, alike: alike / count, sameThing: found / withOthers, asked: count, cpuMs: null }
}

/** The part of an id that all styles of a thing share. */
const thingOf = (pinId: string): string => pinId.slice(pinId.indexOf('-'))

function popular({ pins, touched }: OpenSample): readonly PicturePin[] {
  return pins.toSorted((a, b) => (touched.get(b.pinId) ?? 0) - (touched.get(a.pinId) ?? 0))
}

function nearest(pins: readonly PicturePin[], pin: PicturePin): readonly PicturePin[] {
  const from = pin['visualEmbedding'] as readonly number[]
  const likeness = (other: PicturePin): number =>
    (other['visualEmbedding'] as readonly number[]).reduce((sum, value, k) => sum + value * from[k]!, 0)
  return pins
    .filter((other) => other !== pin)
    .map((other) => ({ other, likeness: likeness(other) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, shown)
    .map(({ other }) => other)
}

/** The figures as lines of the quality table. */
export function relatedLines(figures: readonly RelatedFigures[]): readonly string[] {
  const percent = (share: number): string => (100 * share).toFixed(1).padStart(12)
  return [
    `${'related pins, first 12'.padEnd(26)}${'topic/thing'.padStart(12)}${'same thing'.padStart(12)}${'asked'.padStart(8)}${'CPU ms'.padStart(8)}`,
    ...figures.map(
      ({ method, alike, sameThing, asked, cpuMs }) =>
        `${method.padEnd(26)}${percent(alike)}${percent(sameThing)}${String(asked).padStart(8)}${(cpuMs?.toFixed(2) ?? '').padStart(8)}`,
    ),
  ]
}

if (process.argv[1] === import.meta.filename) {
  const options = { every: { type: 'string', default: '20' }, pins: { type: 'string', default: '10000' } } as const
  const values = readArguments('node test/quality/related.ts', options, { every: 'N', pins: 'N' })
  console.log(relatedLines(await relatedFigures(Number(values.every), Number(values.pins))).join('\n'))
}
