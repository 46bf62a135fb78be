import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { Random } from '@freshet/domain/clock'
import { positiveActions } from '@freshet/domain/engagement'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createVirtualProduct, type VirtualProduct } from '../virtual/product.ts'
import { trainingJob } from '../virtual/training-job.ts'
import { devTrainerSchema } from './config.ts'
import { sampleAction, sampleEngagements, samplePins, smallSample, type SampleEngagement } from './sample.ts'

/** How long the users of the sample look at feeds. */
export interface SampleLoop {
  /** Virtual hours. */
  readonly hours: number
  /** Requests for a feed in an hour, over all users. */
  readonly feedsPerHour: number
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
export async function trainOnSample({ hours, feedsPerHour, onFeed }: SampleLoop): Promise<Uint8Array | null> {
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
    const users = await fill(product, random)
    const feeds = Math.round(hours * feedsPerHour)
    for (let feed = 0; feed < feeds; feed++) {
      product.moveTo(startMs + Math.round((feed * hourMs) / feedsPerHour))
      await product.settle()
      await product.runTimers()
      await visit(product, users[Math.floor(random.next() * users.length)]!, random)
      onFeed?.()
    }
    const newest = (await modelStore.list('')).at(-1)
    return newest === undefined ? null : await modelStore.get(newest)
  } finally {
    await product.close()
    await models.close()
  }
}

/** A user of the sample and the topics that they like. */
interface SampleUser {
  readonly userId: string
  readonly likes: ReadonlySet<string>
}

/** Posts the sample, and finds out from it who likes what. */
async function fill(product: VirtualProduct, random: Random): Promise<readonly SampleUser[]> {
  const pins = samplePins(smallSample, random, startMs)
  for (const [at, pin] of pins.entries()) {
    const parsed = parsePinJson(pin, `pins[${at}]`)
    if (!parsed.ok) throw new Error('the sample contains an invalid pin')
    await product.pin(parsed.change)
  }
  const likes = new Map<string, Set<string>>()
  for (const event of sampleEngagements(pins, smallSample, random, startMs)) {
    const { userId, action, subject } = await post(product, event)
    const known = likes.get(userId) ?? new Set()
    likes.set(userId, known)
    if (subject.kind === 'pin' && positiveActions.includes(action)) known.add(topicOf(subject.pinId))
  }
  await product.settle()
  return [...likes].map(([userId, topics]) => ({ userId, likes: topics }))
}

/** A pin of the sample is called after its topic. */
function topicOf(pinId: string): string {
  return pinId.slice(0, pinId.lastIndexOf('-'))
}

/** One user asks for a feed and looks at it from above until they have enough. */
async function visit(product: VirtualProduct, { userId, likes }: SampleUser, random: Random): Promise<void> {
  const { blender } = product.embedded
  const request = GetFeedRequest.fromPartial({ userId, pageSize, atMs: product.nowMs() })
  const { feedId, items } = await blender.getFeed(request, { timeoutMs: 60_000 })
  await blender.flush()
  for (const [position, { pinId }] of items.entries()) {
    const topic = topicOf(pinId)
    const action = sampleAction(likes.has(topic), random)
    const shown = { userId, pinId, feedId, position, surface: 'home' }
    const atMs = product.nowMs() + 1_000
    const eventId = `${feedId}-${position}`
    await post(product, { ...shown, eventId, action: 'impression', occurredAt: new Date(atMs).toISOString() })
    if (action !== 'impression')
      await post(product, {
        ...{ ...shown, eventId: `${eventId}-${action}`, action, occurredAt: new Date(atMs + 500).toISOString() },
        ...(action === 'save' && { boardId: `${userId}-${topic}` }),
      })
    if (random.next() > goesOn) break
  }
}

async function post(product: VirtualProduct, event: SampleEngagement) {
  const parsed = parseEngagementJson(event, String(event['eventId']))
  if (!parsed.ok) throw new Error('the sample contains an invalid engagement')
  await product.engagement(parsed.engagement)
  return parsed.engagement
}
