import { scannedOf } from '@freshet/contracts/codecs/engagement-scan'
import { encodePinEngagement } from '@freshet/contracts/codecs/onward'
import { createPinEngagementBatches } from '@freshet/contracts/codecs/pin-engagement-batch'
import { PinEngagementBatch } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { noHeaders } from '@freshet/contracts/headers'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import { counted } from '@freshet/domain/decay'
import { actions, type Engagement } from '@freshet/domain/engagement'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const clicks = async (pinId = 'p'): Promise<number> => {
  const pin = await world.pin(pinId)
  return pin === null ? 0 : counted(pin.counters, actions.indexOf('click'), 'total', noonMs)
}

/** What the first stage sends of clicks on pin `p` at these positions of its partition 0. */
function batchOf(...positions: readonly number[]): NewRecord {
  const batches = createPinEngagementBatches(0, world.partitions)
  for (const position of positions) {
    batches.add(scannedOf({ engagement: anEngagement(), receivedAtMs: noonMs }), position)
  }
  return batches.records()[0]!
}

function singleAt(position: number, engagement: Engagement = anEngagement()): NewRecord {
  const source = { partition: 0, position, index: 0 }
  return { key: 'p', partition: null, value: encodePinEngagement({ engagement, receivedAtMs: noonMs, source }) }
}

async function sendOnward(...records: readonly NewRecord[]): Promise<void> {
  await world.log.append('pin-engagements.v1', records)
  await world.log.drain()
}

describe('what user state sends on to pin state', () => {
  it('is one record for each batch and target partition, whatever the number of engagements', async () => {
    world = await anUpdaterWorld({ start: false })
    const pins = Array.from({ length: 200 }, (_, i) => asId<PinId>(`p${i}`))
    await world.log.append(
      'engagements.v1',
      pins.map((pinId) => aRecord({ subject: { kind: 'pin', pinId } })),
    )
    await world.updater.start()
    await world.log.drain()
    expect(await world.records('pin-engagements.v1')).toHaveLength(world.partitions)
    expect(await clicks('p0')).toBe(1)
    expect(await clicks('p199')).toBe(1)
  })

  it('is one record for each engagement under `updater.onward: events`, for updaters of before', async () => {
    world = await anUpdaterWorld({ updater: { onward: 'events' } })
    await world.send(aRecord(), aRecord(), aRecord({ userId: asId<UserId>('v') }))
    expect((await world.records('pin-engagements.v1')).map(({ key }) => key)).toEqual(['p', 'p', 'p'])
    expect(await clicks()).toBe(3)
  })

  it('folds only the rows of a batch that an earlier batch with another end did not hold', async () => {
    world = await anUpdaterWorld()
    await sendOnward(batchOf(1, 2, 3))
    // After a crash: once shorter, once from the same position on but longer, once from the middle on.
    await sendOnward(batchOf(1, 2), batchOf(1, 2, 3, 5), batchOf(3, 5, 6, 9), batchOf(9))
    expect(await clicks()).toBe(6)
  })

  it('folds single engagements of before and batches in one log, each row once', async () => {
    world = await anUpdaterWorld()
    await sendOnward(singleAt(1), singleAt(2), batchOf(2, 3, 4), singleAt(4), singleAt(5), batchOf(5, 6))
    expect(await clicks()).toBe(6)
  })

  it('stops at a batch of a layout that this version does not know, and puts nothing aside', async () => {
    world = await anUpdaterWorld()
    const known = batchOf(1)
    const newer = PinEngagementBatch.encode({ ...PinEngagementBatch.decode(batchOf(2).value!), layout: 7 }).finish()
    await sendOnward(known)
    const batch = {
      topic: 'pin-engagements.v1',
      partition: partitionOf('p', world.partitions),
      from: 1,
      next: 2,
      end: 2,
      records: [{ position: 1, key: '0', value: newer, appendedAtMs: noonMs, headers: noHeaders }],
    }
    await expect(world.updater.handlePinBatch(batch)).rejects.toMatchObject({ code: 'CODEC_NEWER' })
    expect(world.updater.notReady()).toMatch(/pin-engagements.v1.*has layout 7.*update this process/)
    expect(await world.records('dead-letters.v1')).toEqual([])
    expect(await clicks()).toBe(1)
  })
})
