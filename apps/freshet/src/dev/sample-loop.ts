import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { Random } from '@freshet/domain/clock'
import { openPictureCatalogue, type PicturePin } from '@freshet/pictures/catalogue'
import { namedUsers, type PictureUser } from '@freshet/pictures/users'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createVirtualProduct, type VirtualProduct } from '../virtual/product.ts'
import { trainingJob } from '../virtual/training-job.ts'
import { devTrainerSchema } from './config.ts'
import { sampleAction, sampleEngagements, sampleUsers, smallPast, somePins, type SampleEngagement } from './sample.ts'

/** How long the users of the sample look at feeds. */
export interface SampleLoop {
  /** Virtual hours. */
  readonly hours: number
  /** Requests for a feed in an hour, over all users. */
  readonly feedsPerHour: number
  /** About how many pins the sample has. */
  readonly maxPins: number
  /** Called after each feed. */
  readonly onFeed?: () => void
}

/** The virtual time of the first feed. It is long ago, so that every row of a real log is newer than the model. */
const startMs = Date.parse('2026-01-05T12:00:00.000Z')
const hourMs = 3_600_000
const pageSize = 25
/** A user who looked at a pin looks at the next one with this probability. */
const goesOn = 0.93

/**
 * Fills the product with the sample and lets its users look at feeds, in virtual time, while the product's own loop joins what they
 * do, trains and judges. Resolves to the artefact of the newest model that the gate let pass; null: it let none pass. Equal
 * arguments give equal models.
 */
export async function trainOnSample({ hours, feedsPerHour, maxPins, onFeed }: SampleLoop): Promise<Uint8Array | null> {
  const trainer = devTrainerSchema.parse({})
  const { models } = await openSpecSlot({ backend: 'wasm', specFile: null })
  const modelStore = createMemoryArtefactStore()
  const product = await createVirtualProduct({
    models,
    config: { trainer },
    partitions: 8,
    refresh: 'event',
    ranked: true,
    seed: 1,
    modelStore,
    jobs: [trainingJob(trainer, modelStore)],
  })
  try {
    const random = createSeededRandom('sample')
    const { users, pins } = await fill(product, maxPins, random)
    const feeds = Math.round(hours * feedsPerHour)
    for (let feed = 0; feed < feeds; feed++) {
      product.moveTo(startMs + Math.round((feed * hourMs) / feedsPerHour))
      await product.settle()
      await product.runTimers()
      await visit(product, pins, users[Math.floor(random.next() * users.length)]!, random)
      onFeed?.()
    }
    const newest = (await modelStore.list('')).at(-1)
    return newest === undefined ? null : await modelStore.get(newest)
  } finally {
    await product.close()
    await models.close()
  }
}

/** Pins of the sample by id. */
type Pins = ReadonlyMap<string, PicturePin>

/** Posts the sample. */
async function fill(
  product: VirtualProduct,
  maxPins: number,
  random: Random,
): Promise<{ readonly users: readonly PictureUser[]; readonly pins: Pins }> {
  const catalogue = await openPictureCatalogue()
  const pins = somePins(catalogue.pins(startMs), maxPins)
  catalogue.close()
  for (const [at, pin] of pins.entries()) {
    const parsed = parsePinJson(pin, `pins[${at}]`)
    if (!parsed.ok) throw new Error('the sample contains an invalid pin')
    await product.pin(parsed.change)
  }
  const users = sampleUsers(namedUsers, pins, smallPast, random)
  for (const event of sampleEngagements(users, pins, smallPast, random, startMs)) await post(product, event)
  await product.settle()
  return { users, pins: new Map(pins.map((pin) => [pin.pinId, pin])) }
}

/** One user asks for a feed and looks at it from above until they have enough. */
async function visit(product: VirtualProduct, pins: Pins, user: PictureUser, random: Random): Promise<void> {
  const { userId } = user
  const { blender } = product.embedded
  const request = GetFeedRequest.fromPartial({ userId, pageSize, atMs: product.nowMs() })
  const { feedId, items } = await blender.getFeed(request, { timeoutMs: 60_000 })
  await blender.flush()
  for (const [position, { pinId }] of items.entries()) {
    const pin = pins.get(pinId)!
    const action = sampleAction(user, pin, random)
    const shown = { userId, pinId, feedId, position, surface: 'home' }
    const atMs = product.nowMs() + 1_000
    const eventId = `${feedId}-${position}`
    await post(product, { ...shown, eventId, action: 'impression', occurredAt: new Date(atMs).toISOString() })
    if (action !== 'impression')
      await post(product, {
        ...{ ...shown, eventId: `${eventId}-${action}`, action, occurredAt: new Date(atMs + 500).toISOString() },
        ...(action === 'save' && { boardId: `${userId}-${pin.topics[0]}` }),
      })
    if (random.next() > goesOn) break
  }
}

async function post(product: VirtualProduct, event: SampleEngagement): Promise<void> {
  const parsed = parseEngagementJson(event, String(event['eventId']))
  if (!parsed.ok) throw new Error('the sample contains an invalid engagement')
  await product.engagement(parsed.engagement)
}
