import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { openCluster } from '../harness/cluster.ts'
import { startFleet } from '../harness/processes.ts'
import { patience, wholeFeed, type Product } from './writes.ts'

const longBudgets = Object.fromEntries(
  ['USER_STATE', 'AWAIT', 'RETRIEVE', 'RANK'].map((stage) => [`FRESHET_BLENDER_${stage}_BUDGET_MS`, '30000']),
)

/** Five processes on a real Kafka and a real Redis, reached by HTTP and gRPC. Throws where there is no Kafka or no Redis. */
export async function productOverKafka(pinIds: readonly string[]): Promise<Product> {
  const cluster = await openCluster()
  if ('absent' in cluster) throw new Error(cluster.absent)
  const world = await cluster.fresh()
  const { brokers, redisUrl, keyPrefix } = world
  const env = {
    FRESHET_REDIS_KEY_PREFIX: keyPrefix,
    FRESHET_LOG_LEVEL: 'warn',
    FRESHET_REDIS_COMMAND_TIMEOUT_MS: '10000',
  }
  const stopServers = async (): Promise<void> => {
    await world.close()
    await cluster.stop()
  }
  const starting = startFleet({ brokers, redisUrl, env, envOf: { blender: longBudgets } })
  const fleet = await starting.catch(async (error: unknown) => {
    await stopServers()
    throw error
  })
  const blender = createBlenderClient({ address: fleet.feedAddress })

  async function post(path: string, body: object): Promise<string> {
    const response = await fetch(`${fleet.ingestUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patience.timeoutMs),
    })
    const text = await response.text()
    const { receipts = [] } = JSON.parse(text) as { receipts?: { token?: string }[] }
    if (receipts[0]?.token === undefined) throw new Error(`ingest answers ${response.status} ${text}`)
    return receipts[0].token
  }

  await post('/v1/pins', { pins: pinIds.map((pinId) => ({ pinId })) })
  return {
    name: 'Kafka and Redis, five processes',
    say: ({ userId, pinId, hides, eventId }) => {
      const occurredAt = new Date().toISOString()
      const action = hides ? 'hide' : 'unhide'
      return post('/v1/engagements', { engagements: [{ eventId, userId, action, pinId, occurredAt }] })
    },
    merge: (fromUserId, intoUserId) => post(`/v1/users/${fromUserId}/merge`, { intoUserId }),
    feed: (userId, after) => blender.getFeed(GetFeedRequest.fromPartial(wholeFeed(userId, after)), patience),
    async close() {
      blender.close()
      await fleet.stop()
      await stopServers()
    },
  }
}
