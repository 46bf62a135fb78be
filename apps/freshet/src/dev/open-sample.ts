import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { parsePinJson } from '@freshet/contracts/json/pin'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { openPictureCatalogue, type PicturePin } from '@freshet/pictures/catalogue'
import { namedUsers, type PictureUser } from '@freshet/pictures/users'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { loadTrainable } from '@freshet/trainer/ranking/trainable'
import { createVirtualProduct, type VirtualProduct } from '../virtual/product.ts'
import { installSampleModel } from './sample-model.ts'
import { sampleEngagements, sampleUsers, smallPast, somePins } from './sample.ts'

/** The sample as `freshet dev` has it after its first start, in virtual time. */
export interface OpenSample {
  readonly product: VirtualProduct
  readonly pins: readonly PicturePin[]
  readonly byId: ReadonlyMap<string, PicturePin>
  readonly users: readonly PictureUser[]
  /** Engagements of each pin. */
  readonly touched: ReadonlyMap<string, number>
  close(): Promise<void>
}

const surface = 'home'
const nowMs = Date.parse('2026-03-01T00:00:00.000Z')

/** Fills a product in memory with about `maxPins` pins, the simulated users and the model that ships. */
export async function openSample({ maxPins }: { readonly maxPins: number }): Promise<OpenSample> {
  const { models } = await openSpecSlot({ backend: 'wasm', specFile: null })
  const modelStore = createMemoryArtefactStore()
  let log: EventLog | undefined
  const product = await createVirtualProduct({
    ...{ models, modelStore, config: {}, partitions: 8, refresh: 'mark', ranked: true, seed: 1 },
    wrapLog: (inner) => (log = inner),
  })
  const { planHash } = await loadTrainable(null, surface)
  await installSampleModel({ log: log!, artefacts: modelStore, surface, planHash, nowMs })
  const catalogue = await openPictureCatalogue()
  const pins = somePins(catalogue.pins(nowMs), maxPins)
  catalogue.close()
  for (const [at, pin] of pins.entries()) {
    const parsed = parsePinJson(pin, `pins[${at}]`)
    if (!parsed.ok) throw new Error('the sample contains an invalid pin')
    await product.pin(parsed.change)
  }
  const random = createSeededRandom('sample')
  const users = sampleUsers(namedUsers, pins, smallPast, random)
  const touched = new Map<string, number>()
  for (const event of sampleEngagements(users, pins, smallPast, random, nowMs)) {
    const parsed = parseEngagementJson(event, String(event['eventId']))
    if (!parsed.ok) throw new Error('the sample contains an invalid engagement')
    const pinId = event['pinId']
    if (typeof pinId === 'string') touched.set(pinId, (touched.get(pinId) ?? 0) + 1)
    await product.engagement(parsed.engagement)
  }
  await product.settle()
  product.moveTo(nowMs)
  await product.mark()
  await product.runTimers()
  return {
    ...{ product, pins, users, touched, byId: new Map(pins.map((pin) => [pin.pinId, pin])) },
    async close() {
      await product.close()
      await models.close()
    },
  }
}
