import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest } from '@freshet/event-ingest/ingest'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { Freshness, GetFeedRequest, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { topicLayouts } from '@freshet/contracts/topics'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { createEmbedded, type Embedded } from '@freshet/freshet/embedded'
import { memoryPlatform } from '@freshet/freshet/memory-platform'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { createMetrics } from '@freshet/service/metrics'
import { z } from 'zod'
import { eventually } from '../harness/eventually.ts'

/**
 * `npm run feeds:read-your-writes -- [--pairs N] [--without N]`: on LMDB, users hide and show pins again, and each feed with the token of the
 * event must reflect it. Feeds without the token then show how long an event takes. Ends with 1 where a feed with a token does not reflect its event.
 */
const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '10000' }, without: { type: 'string', default: '500' } },
})

const pins = Array.from({ length: 40 }, (_, n) => `pin-${n}`)
const users = Array.from({ length: 50 }, (_, n) => `user-${n}`)
const patience = { timeoutMs: 60_000 }
const clock = createSystemClock()

const folder = mkdtempSync(join(tmpdir(), 'freshet-feeds-'))
const environment = await openEnvironment({ folder })
const log = createLmdbEventLog({ environment, clock })
const store = createLmdbStateStore({ environment, clock })
await log.applyTopics(topicLayouts(8))
const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
const embedded: Embedded = createEmbedded({
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
const changes = pins.map((pinId) => ({
  key: pinId,
  value: encodePinChange({ kind: 'upsert', pin: aCataloguePin(pinId) }),
  partition: null,
}))
await log.append('pins.v1', changes)
await embedded.start()
await eventually(
  'all pins in a feed',
  async () => ((await feed('nobody', [])).items.length === pins.length ? true : null),
  60_000,
)

let reflected = 0
const wrong: string[] = []
const startedAt = performance.now()
for (let pair = 0; pair < Number(values.pairs); pair++) {
  const one = place(pair)
  const answer = await feed(one.userId, [await say(one, pair)])
  if (answer.freshness === Freshness.CURRENT && shows(answer, one.pinId) !== one.hides) reflected++
  else wrong.push(`${one.userId} ${one.hides ? 'hides' : 'shows'} ${one.pinId}: freshness ${answer.freshness}`)
}
const seconds = (performance.now() - startedAt) / 1000
console.log(`LMDB: ${reflected} of ${values.pairs} feeds with a token reflect the event, ${seconds.toFixed(1)} s`)
for (const problem of wrong.slice(0, 10)) console.log(problem)

const lags: number[] = []
let atOnce = 0
for (let pair = 0; pair < Number(values.without); pair++) {
  const one = place(Number(values.pairs) + pair)
  await say(one, Number(values.pairs) + pair)
  const saidAt = performance.now()
  let asked = 0
  for (;;) {
    asked++
    if (shows(await feed(one.userId, []), one.pinId) !== one.hides) break
    // Feeds alone would leave the updater of this process no turn.
    await clock.sleep(1)
  }
  lags.push(performance.now() - saidAt)
  if (asked === 1) atOnce++
}
lags.sort((a, b) => a - b)
const at = (share: number): string => (lags[Math.floor(share * (lags.length - 1))] ?? 0).toFixed(1)
console.log(
  `without a token: ${atOnce} of ${lags.length} first feeds reflect the event; until one does: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
)
await embedded.stop()
await Promise.all([log.close(), store.close()])
await environment.close()
rmSync(folder, { recursive: true, force: true })
process.exitCode = wrong.length === 0 ? 0 : 1

interface Place {
  readonly userId: string
  readonly pinId: string
  readonly hides: boolean
}

/** Who does what with which pin: each pin is hidden in one round and shown again in the next. */
function place(pair: number): Place {
  const round = Math.floor(pair / users.length)
  return {
    userId: users[pair % users.length] ?? '',
    pinId: pins[Math.floor(round / 2) % pins.length] ?? '',
    hides: round % 2 === 0,
  }
}

async function say({ userId, pinId, hides }: Place, number: number): Promise<string> {
  const engagement = {
    eventId: asId<never>(`event-${number}`),
    userId: asId<UserId>(userId),
    sessionId: null,
    action: hides ? ('hide' as const) : ('unhide' as const),
    subject: { kind: 'pin' as const, pinId: asId<PinId>(pinId) },
    boardId: null,
    occurredAtMs: clock.now(),
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
  const read = () => ({ ok: true as const, engagement })
  const answer = await ingest.takeEngagements({
    events: [{}],
    read,
    single: true,
    bytes: 100,
    clock: { sentAtMs: null, offsetMs: 0 },
  })
  const receipt = answer.kind === 'taken' ? answer.receipts[0] : undefined
  if (receipt === undefined || !('token' in receipt)) throw new Error(`ingest refused ${JSON.stringify(answer)}`)
  return receipt.token
}

/** A feed of all pins that the user may see, seen ones too. It is not recorded, so that each feed has the same pins but for the event. */
function feed(userId: string, after: readonly string[]): Promise<GetFeedResponse> {
  const evaluation = { dryRun: true, allowRepeats: true }
  return embedded.blender.getFeed(
    GetFeedRequest.fromPartial({ userId, pageSize: 100, after: [...after], evaluation }),
    patience,
  )
}

function shows({ items }: GetFeedResponse, pinId: string): boolean {
  return items.some((item) => item.pinId === pinId)
}
