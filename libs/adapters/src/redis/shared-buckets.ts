import { unitUs, type RateCharge, type RateRefusal, type SharedBuckets } from '@freshet/domain/gcra'
import { newSecret } from '../system/secret.ts'
import { createRedisConnection, type RedisArgument } from './connection.ts'
import { bucketScript } from './bucket-script.ts'
import type { RedisStateStoreOptions } from './state-store.ts'

/** Buckets in Redis, with the connection that they use. */
export interface RedisBuckets extends SharedBuckets {
  close(): Promise<void>
}

interface Waiting {
  readonly charges: readonly RateCharge[]
  readonly resolve: (refusal: RateRefusal | null) => void
  readonly reject: (error: unknown) => void
}

/** A request does not wait longer for its buckets; it is then limited by its process alone. */
export const bucketTimeoutMs = 100

/** At most this many requests share a script. */
const maxRequests = 256

/**
 * Buckets that replicas share. One Lua script charges all buckets of a request or none, by the clock of Redis; requests of the
 * same turn of the event loop share a script. All keys have one hash tag, so that a script may touch any of them in a Cluster. A bucket
 * is gone once it is empty again. Rejects with STORE_UNAVAILABLE after `commandTimeoutMs`.
 */
export function createRedisBuckets(options: RedisStateStoreOptions): RedisBuckets {
  const redis = createRedisConnection(options)
  const prefix = `${options.keyPrefix ?? 'freshet:'}{rates}`
  let waiting: Waiting[] = []

  async function send(batch: readonly Waiting[]): Promise<void> {
    const keys: string[] = []
    const args: RedisArgument[] = [batch.length]
    for (const { charges } of batch) {
      args.push(charges.length)
      for (const { bucket, cost, limit } of charges) {
        keys.push(`${prefix}:${bucket}`)
        args.push(cost * unitUs(limit), limit.burst * unitUs(limit), cost > limit.burst ? 1 : 0)
      }
    }
    try {
      const reply = (await redis.script(bucketScript, keys, args)) as readonly (readonly [number, number])[]
      for (const [at, { resolve }] of batch.entries()) {
        const [index, waitUs] = reply[at] ?? [0, 0]
        resolve(index === 0 ? null : { at: index - 1, retryAfterMs: waitUs < 0 ? null : Math.ceil(waitUs / 1_000) })
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  const flush = (): void => {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += maxRequests) void send(all.slice(at, at + maxRequests))
  }

  return {
    charge(charges) {
      return new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush)
        waiting.push({ charges, resolve, reject })
      })
    },
    async secret() {
      const key = `${prefix}:secret`
      await redis.command('set', [key, Buffer.from(newSecret()).toString('base64'), 'NX'])
      const found = (await redis.command('get', [key])) as Buffer
      return new Uint8Array(Buffer.from(found.toString(), 'base64'))
    },
    close: () => redis.close(),
  }
}
