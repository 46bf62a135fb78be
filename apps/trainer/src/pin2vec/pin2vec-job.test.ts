import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { float32Column } from '@freshet/contracts/bytes/columns'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId } from '@freshet/domain/ids'
import { decodeSnapshot } from '@freshet/columns/snapshot'
import { describe, expect, it } from 'vitest'
import { trainerSchema } from '../config.ts'
import { createPin2VecJob } from './pin2vec-job.ts'

const startMs = Date.UTC(2026, 0, 1)

function engagement(user: number, pin: string, atMs: number): Uint8Array {
  return encodeEngagement(
    {
      eventId: asId(`${user}-${pin}-${atMs}`),
      userId: asId(`user-${user}`),
      sessionId: null,
      action: 'click',
      subject: { kind: 'pin', pinId: asId(pin) },
      boardId: null,
      occurredAtMs: atMs,
      shown: { feedId: null, position: null, surface: null },
      dwellMs: null,
    },
    atMs,
  )
}

/** Users 0 to 39 each click pins of one of two groups. */
async function world(checkpoints: ArtefactStore | null = null) {
  const clock = createVirtualClock(startMs)
  const log = createMemoryEventLog({ clock })
  // One partition, because the model depends on the order of events across users.
  await log.applyTopics(topicLayouts(1))
  const config = trainerSchema.parse({ dimensions: 16, maxPins: 1000 })
  const errors: Error[] = []
  const job = () => createPin2VecJob({ log, clock, config, checkpoints, onError: (error) => errors.push(error) })
  const click = async (rounds: number, from = 0): Promise<void> => {
    for (let round = from; round < from + rounds; round++) {
      for (let user = 0; user < 40; user++) {
        const group = user % 2 === 0 ? 'bread' : 'bike'
        const pin = `${group}-${(user * 7 + round * 3) % 6}`
        await log.append('engagements.v1', [
          { key: `user-${user}`, value: engagement(user, pin, startMs + round * 60_000 + user), partition: null },
        ])
      }
    }
  }
  const rows = async (): Promise<Map<string, PinEmbedding>> => {
    const found = new Map<string, PinEmbedding>()
    const reader = await log.readAll({
      topics: ['pin-embeddings.v1'],
      maxBatchRecords: 1000,
      startAt: () => null,
      onError: (error) => errors.push(error),
      onBatch: async (batch) => {
        for (const { key, value } of batch.records) if (value !== null) found.set(key, PinEmbedding.decode(value))
      },
    })
    await log.drain()
    await reader.stop()
    return found
  }
  const embeddings = async (): Promise<Map<string, Float32Array>> =>
    new Map([...(await rows())].map(([pinId, { vector }]) => [pinId, float32Column(vector).slice()]))
  /** A job that saw three rounds of clicks, kept a checkpoint and stopped. */
  const stoppedAfterThreeRounds = async () => {
    const first = job()
    await first.start()
    await click(3)
    await log.drain()
    await first.stop()
    return first
  }
  return { clock, log, job, click, rows, embeddings, errors, stoppedAfterThreeRounds }
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * b[at]!, 0)

describe('Pin2Vec job', () => {
  it('names in each row the space and how many pairs the model had learned from', async () => {
    const { log, job, click, rows } = await world()
    const running = job()
    await running.start()
    await click(5)
    await log.drain()
    await running.publish()
    const { pairs } = running.stats()
    expect(pairs).toBeGreaterThan(0)
    const [row] = [...(await rows()).values()]
    expect(row).toMatchObject({ space: 'pin2vec-16-1', modelVersion: `${pairs}` })
    await running.stop()
  })

  it('publishes embeddings in which pins of the same group are near each other', async () => {
    const { log, job, click, embeddings, errors } = await world()
    const running = job()
    await running.start()
    await click(30)
    await log.drain()
    await running.stop()
    const found = await embeddings()
    expect(found.size).toBe(12)
    const near = dot(found.get('bread-0')!, found.get('bread-3')!)
    const far = dot(found.get('bread-0')!, found.get('bike-3')!)
    expect(near).toBeGreaterThan(far + 0.3)
    expect(errors).toEqual([])
  })

  it('A6: publishes rows whose publication failed the next time, even if they do not change again', async () => {
    const { clock, log, click, embeddings, errors } = await world()
    let refusing = true
    const job = createPin2VecJob({
      log: {
        ...log,
        append: (topic, records) => (refusing ? Promise.reject(new Error('away')) : log.append(topic, records)),
      },
      clock,
      config: trainerSchema.parse({ dimensions: 16, maxPins: 1000 }),
      checkpoints: null,
      onError: (error) => errors.push(error),
    })
    await job.start()
    await click(5)
    await log.drain()
    await job.publish()
    expect(errors.map(({ message }) => message)).toContain('away')
    expect(job.stats().published).toBe(0)
    refusing = false
    await job.publish()
    expect((await embeddings()).size).toBe(12)
    await job.stop()
  })

  it('A6: a checkpoint made while publications fail contains the waiting rows', async () => {
    const checkpoints = createMemoryArtefactStore()
    const { clock, log, job, click, embeddings } = await world(checkpoints)
    const failing = createPin2VecJob({
      log: { ...log, append: () => Promise.reject(new Error('away')) },
      clock,
      config: trainerSchema.parse({ dimensions: 16, maxPins: 1000 }),
      checkpoints,
      onError: () => undefined,
    })
    await failing.start()
    await click(5)
    await log.drain()
    await failing.stop()
    const second = job()
    await second.start()
    await second.stop()
    expect((await embeddings()).size).toBe(12)
  })

  it('continues from its checkpoint, and learns nothing twice', async () => {
    const checkpoints = createMemoryArtefactStore()
    const { log, job, click } = await world(checkpoints)
    const first = job()
    await first.start()
    await click(5)
    await log.drain()
    await first.stop()
    const pairs = first.stats().pairs
    expect(pairs).toBeGreaterThan(0)
    const second = job()
    await second.start()
    await log.drain()
    expect(second.stats().pairs).toBe(pairs)
    await second.stop()
  })

  it('A26: forgets the last actions of an erased user, in the next checkpoint too', async () => {
    const checkpoints = createMemoryArtefactStore()
    const { log, job, stoppedAfterThreeRounds } = await world(checkpoints)
    const windows = async (): Promise<number> => {
      const checkpoint = decodeSnapshot(await checkpoints.get('trainer/pin2vec.checkpoint'))
      return checkpoint
        .under('windows')
        .u8('lengths')
        .filter((length) => length > 0).length
    }
    await stoppedAfterThreeRounds()
    expect(await windows()).toBe(40)
    await log.append('engagements.v1', [{ key: 'user-7', value: null, partition: null }])
    const second = job()
    await second.start()
    await log.drain()
    await second.stop()
    expect(await windows()).toBe(39)
  })

  it('A2: keeps the model of a lost log, reports that, and reads the new log from its start', async () => {
    const checkpoints = createMemoryArtefactStore()
    const { log, job, click, errors, stoppedAfterThreeRounds } = await world(checkpoints)
    const first = await stoppedAfterThreeRounds()
    const { pairs, pins } = first.stats()
    log.recreate('engagements.v1')
    const second = job()
    await second.start()
    await click(2, 3)
    await log.drain()
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('another engagements.v1')])
    expect(second.stats().pins).toBe(pins)
    expect(second.stats().pairs).toBeGreaterThan(pairs)
    await second.stop()
  })

  it('learns again from the log if the checkpoint is damaged, and reports that', async () => {
    const checkpoints = createMemoryArtefactStore()
    const { log, job, errors, stoppedAfterThreeRounds } = await world(checkpoints)
    const first = await stoppedAfterThreeRounds()
    const bytes = await checkpoints.get('trainer/pin2vec.checkpoint')
    await checkpoints.put('trainer/pin2vec.checkpoint', bytes.slice(0, bytes.length / 2))
    const second = job()
    await second.start()
    await log.drain()
    expect(second.stats().pairs).toBe(first.stats().pairs)
    expect(errors).toHaveLength(1)
    await second.stop()
  })
})
