import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer } from '@freshet/adapters/testing/kafka-server'
import { redisServer } from '@freshet/adapters/testing/redis-server'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { topicLayouts } from '@freshet/contracts/topics'
import { createUpdater } from '@freshet/feature-updater/updater'
import { updaterConfigOf } from '@freshet/feature-updater/config'
const k = await kafkaServer(), r = await redisServer()
if (!('target' in k) || !('target' in r)) throw new Error('absent')
const clock = createSystemClock()
const log = createKafkaEventLog({ brokers: k.target.brokers, clientId: 'b', clock, replicationFactor: 1 })
const store = createRedisStateStore({ url: r.target.url, keyPrefix: 'bench:' })
await log.applyTopics(topicLayouts(8))
const N = Number(process.argv[2] ?? 30000), U = 5000
const rand = createSeededRandom(1); const acts = ['impression','impression','impression','impression','impression','impression','closeup','click','save','hide'] as const
const recs = Array.from({ length: N }, (_, i) => { const u = 'user-' + Math.floor(rand.next() ** 2 * U); const action = acts[Math.floor(rand.next() * 10)]!
 return { key: u, partition: null, value: encodeEngagement({ eventId: 'event-000000-' + i, userId: u, sessionId: null, action, subject: { kind: 'pin', pinId: 'pin-' + Math.floor(rand.next() ** 3 * 20000) }, boardId: null, occurredAtMs: 1.7e12 + i * 100, shown: { feedId: null, position: 3, surface: 'home' }, dwellMs: null } as any, 1.7e12 + i * 100) } })
for (let i = 0; i < N; i += 2000) await log.append('engagements.v1', recs.slice(i, i + 2000))
for (const bs of [500, 2000]) {
  const store = createRedisStateStore({ url: r.target.url, keyPrefix: `bench${bs}:` })
  const u = createUpdater({ log, store, clock, config: updaterConfigOf({ updater: { canaryEveryMs: 0, maxBatchRecords: bs, group: 'g' + bs } }), onError: (e) => console.log(e.message) })
  const c0 = process.cpuUsage(); const t = performance.now()
  await u.start()
  while (true) {
    const ends = await log.ends('engagements.v1'); const pos = await store.positions('user.1', [...ends.keys()])
    if (ends.every((e, p) => e <= (pos[p] ?? 0))) break
    await clock.sleep(20)
  }
  const t1 = performance.now() - t
  while (true) {
    const ends = await log.ends('pin-engagements.v1'); const pos = await store.positions('pin.1', [...ends.keys()])
    if (ends.every((e, p) => e <= (pos[p] ?? 0))) break
    await clock.sleep(20)
  }
  const t2 = performance.now() - t; const c = process.cpuUsage(c0)
  console.log(bs, 'user stage', (N / t1 * 1000) | 0, '/s; both', (N / t2 * 1000) | 0, '/s; cpu us/event', ((c.user + c.system) / N).toFixed(1), JSON.stringify(u.stats()))
  await u.stop(); await store.close()
}
await log.close(); await k.stop(); await r.stop()
