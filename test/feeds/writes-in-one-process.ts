import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest, type Ingest } from '@freshet/event-ingest/ingest'
import { createEmbedded } from '@freshet/freshet/embedded'
import { memoryPlatform } from '@freshet/freshet/memory-platform'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createMetrics } from '@freshet/service/metrics'
import { z } from 'zod'
import { patience, wholeFeed, type Product, type Write } from './writes.ts'

/** All services in this process, on LMDB. */
export async function productOnLmdb(pinIds: readonly string[]): Promise<Product> {
  const clock = createSystemClock()
  const folder = mkdtempSync(join(tmpdir(), 'freshet-feeds-'))
  const environment = await openEnvironment({ folder })
  const log = createLmdbEventLog({ environment, clock })
  const store = createLmdbStateStore({ environment, clock })
  await log.applyTopics(topicLayouts(8))
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const embedded = createEmbedded({
    platform: memoryPlatform({ log, store, clock }),
    models,
    config: { trainer: null, blender: { awaitBudgetMs: 30_000 } },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    onError: (part, error) => console.error(part, error),
  })
  const ingest = createIngest({
    log,
    clock,
    config: z.object(ingestSettings).parse({}),
    metrics: createMetrics(),
    report: (error) => console.error(error),
  })
  const changes = pinIds.map((pinId) => ({
    key: pinId,
    value: encodePinChange({ kind: 'upsert', pin: aCataloguePin(pinId) }),
    partition: null,
  }))
  await log.append('pins.v1', changes)
  await embedded.start()
  return {
    name: 'LMDB, one process',
    async say(write) {
      const engagement = engagementOf(write, clock.now())
      const read = () => ({ ok: true as const, engagement })
      const sent = { sentAtMs: null, offsetMs: 0 }
      return tokenOf(await ingest.takeEngagements({ events: [{}], read, single: true, bytes: 100, clock: sent }))
    },
    async merge(fromUserId, intoUserId) {
      return tokenOf(await ingest.mergeUsers({ fromUserId, intoUserId, occurredAtMs: null }))
    },
    feed: (userId, after) => embedded.blender.getFeed(GetFeedRequest.fromPartial(wholeFeed(userId, after)), patience),
    async close() {
      await embedded.stop()
      await Promise.all([log.close(), store.close()])
      await environment.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function engagementOf({ userId, pinId, hides, eventId }: Write, occurredAtMs: number) {
  return {
    eventId: asId<never>(eventId),
    userId: asId<UserId>(userId),
    sessionId: null,
    action: hides ? ('hide' as const) : ('unhide' as const),
    subject: { kind: 'pin' as const, pinId: asId<PinId>(pinId) },
    boardId: null,
    occurredAtMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
}

function tokenOf(answer: Awaited<ReturnType<Ingest['takeEngagements']>>): string {
  const receipt = answer.kind === 'taken' ? answer.receipts[0] : undefined
  if (receipt === undefined || !('token' in receipt)) throw new Error(`ingest refused ${JSON.stringify(answer)}`)
  return receipt.token
}
