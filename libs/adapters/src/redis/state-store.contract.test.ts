import { watchEviction } from './eviction-watch.ts'
import { createVirtualClock } from '../memory/clock.ts'
import { afterAll, describe, expect, test } from 'vitest'
import { Cluster, Redis } from 'ioredis'
import { aCommit, bytes, eventually, text } from '../suites/state-store.builders.ts'
import { stateStoreContract } from '../suites/state-store.suite.ts'
import type { StateStoreFixture } from '../suites/state-store.world.ts'
import { redisCluster, redisPorts, redisServer, until } from '../testing/redis-server.ts'
import type { RedisClusterTarget, RedisFaults, RedisTarget } from '../testing/redis-server.ts'
import { openTcpProxy } from '../testing/tcp-proxy.ts'
import { createRedisStateStore } from './state-store.ts'
import type { RedisStateStore, RedisStateStoreOptions } from './state-store.ts'

const commandTimeoutMs = 400
const outageBoundMs = commandTimeoutMs + 300
let prefixes = 0
const freshPrefix = () => `test-${process.pid}-${prefixes++}:`
const realTime = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const standalone = await redisServer()
const cluster = await redisCluster()
afterAll(async () => {
  if ('target' in standalone) await standalone.stop()
  if ('target' in cluster) await cluster.stop()
})

if ('target' in standalone) {
  const { target } = standalone
  const faults = target.faults === null ? 'absent' : 'present'
  stateStoreContract('Redis', () => standaloneFixture(target), {
    failover: faults,
    flushScripts: 'present',
    outage: faults,
  })
  describe('Redis, one server', () => standaloneTests(target))
} else {
  test.skip(`Redis state store: ${standalone.absent}`)
}

if ('target' in cluster) {
  const { target } = cluster
  const outage = target.faults === null ? 'absent' : 'present'
  stateStoreContract('Redis Cluster', () => clusterFixture(target), {
    failover: 'present',
    flushScripts: 'present',
    outage,
  })
  describe('Redis Cluster', () => clusterTests(target))
} else {
  test.skip(`Redis Cluster state store: ${cluster.absent}`)
}

function opener(options: RedisStateStoreOptions): { open(): RedisStateStore; close(): Promise<void> } {
  const opened: RedisStateStore[] = []
  return {
    open() {
      const store = createRedisStateStore({ commandTimeoutMs, ...options })
      opened.push(store)
      return store
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()))
    },
  }
}

async function standaloneFixture({ url, faults }: RedisTarget): Promise<StateStoreFixture> {
  const keyPrefix = freshPrefix()
  const address = new URL(url)
  const proxy = await openTcpProxy({ host: address.hostname, port: Number(address.port) })
  address.hostname = '127.0.0.1'
  address.port = String(proxy.port)
  const stores = opener({ url: address.href, keyPrefix })
  let killed = false
  const serverFaults =
    faults === null
      ? {}
      : {
          async failover(doomed: () => Promise<void>) {
            const { primary, replica } = redisPorts
            await makeReplica(faults, replica, primary)
            // From here on the replica receives nothing.
            await faults.cli(replica, 'replicaof', 'no', 'one')
            await doomed()
            await faults.signal([primary], 'KILL')
            killed = true
            proxy.retarget(faults.address(replica))
          },
          async outage() {
            await faults.signal([redisPorts.primary], 'STOP')
            return () => faults.signal([redisPorts.primary], 'CONT')
          },
          outageBoundMs,
        }
  return {
    store: stores.open(),
    another: () => stores.open(),
    pass: realTime,
    flushScripts: () => withClient(url, (client) => client.script('FLUSH')),
    ...serverFaults,
    async close() {
      await stores.close()
      await proxy.close()
      if (killed) await faults?.start(redisPorts.primary)
    },
  }
}

async function makeReplica(faults: RedisFaults, replica: number, primary: number): Promise<void> {
  await faults.cli(replica, 'replicaof', '127.0.0.1', String(primary))
  const offset = (info: string, name: string) => new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]
  await until(async () => {
    const own = await faults.cli(replica, 'info', 'replication')
    const theirs = await faults.cli(primary, 'info', 'replication')
    const caughtUp = offset(own, 'slave_repl_offset') === offset(theirs, 'master_repl_offset')
    return own.includes('master_link_status:up') && caughtUp
  }, 20_000)
}

async function withClient(url: string, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url)
  try {
    await work(client)
  } finally {
    client.disconnect()
  }
}

async function clusterFixture({ nodes, natMap, faults }: RedisClusterTarget): Promise<StateStoreFixture> {
  const keyPrefix = freshPrefix()
  const stores = opener({ clusterNodes: nodes, natMap, keyPrefix })
  return {
    store: stores.open(),
    another: () => stores.open(),
    pass: realTime,
    flushScripts: async () => {
      for (const node of nodes) await withClient(node, (client) => client.script('FLUSH'))
    },
    // The keys from before the commits, as on a replica that missed them.
    async failover(doomed) {
      const client = new Cluster([...nodes], { natMap })
      try {
        const before = await Promise.all((await keysOf(client, keyPrefix)).map((key) => dumpOf(client, key)))
        await doomed()
        for (const key of await keysOf(client, keyPrefix)) await client.unlink(key)
        for (const { key, dump, ttlMs } of before) await client.restore(key, ttlMs, dump)
      } finally {
        client.disconnect()
      }
    },
    ...(faults === null
      ? {}
      : {
          async outage() {
            await faults.signal(redisPorts.cluster, 'STOP')
            return () => faults.signal(redisPorts.cluster, 'CONT')
          },
          outageBoundMs,
        }),
    close: () => stores.close(),
  }
}

async function keysOf(client: Cluster, prefix: string): Promise<string[]> {
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve))
  return (await Promise.all(client.nodes('master').map((node) => node.keys(`${prefix}*`)))).flat()
}

async function dumpOf(client: Cluster, key: string): Promise<{ key: string; dump: Buffer; ttlMs: number }> {
  const dump = (await client.dumpBuffer(key)) ?? Buffer.alloc(0)
  return { key, dump, ttlMs: Math.max(0, await client.pttl(key)) }
}

function standaloneTests(target: RedisTarget): void {
  const { url, faults } = target

  test('readiness names the eviction policy to change', async () => {
    const store = createRedisStateStore({ url, keyPrefix: freshPrefix() })
    await withClient(url, async (client) => {
      const before = (await client.config('GET', 'maxmemory-policy'))[1] ?? 'noeviction'
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      expect(await store.evictionProblem()).toBeNull()
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
      expect(await store.evictionProblem()).toBe('maxmemory-policy is allkeys-lru; set it to noeviction')
      await client.config('SET', 'maxmemory-policy', before)
    })
    await store.close()
  })

  test('the used share of the memory limit is known after a check, if there is a limit', async () => {
    const store = createRedisStateStore({ url, keyPrefix: freshPrefix() })
    await withClient(url, async (client) => {
      const before = (await client.config('GET', 'maxmemory'))[1] ?? '0'
      await store.evictionProblem()
      if (before === '0') expect(store.memoryShare()).toBeNull()
      await client.config('SET', 'maxmemory', String(2 ** 40))
      await store.evictionProblem()
      expect(store.memoryShare()).toBeGreaterThan(0)
      expect(store.memoryShare()).toBeLessThan(0.5)
      await client.config('SET', 'maxmemory', before)
    })
    await store.close()
  })

  test('A25: notices a later change of the policy at the next check and at the next connection', async () => {
    const store = createRedisStateStore({ url, keyPrefix: freshPrefix() })
    const clock = createVirtualClock(0)
    const watch = watchEviction(store, { clock, everyMs: 1_000 })
    const ending = new AbortController()
    const running = watch.run(ending.signal, () => undefined)
    await withClient(url, async (client) => {
      const before = (await client.config('GET', 'maxmemory-policy'))[1] ?? 'noeviction'
      const until = async (problem: string | null): Promise<void> => {
        for (let i = 0; watch.problem() !== problem && i < 200; i++) await new Promise((go) => setTimeout(go, 20))
        expect(watch.problem()).toBe(problem)
      }
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      await watch.look()
      expect(watch.problem()).toBeNull()
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await clock.advance(1_000)
      await until('maxmemory-policy is allkeys-lru; set it to noeviction')
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await until(null)
      await client.config('SET', 'maxmemory-policy', before)
    })
    ending.abort()
    await running
    await store.close()
  })

  test('without a server, calls fail immediately with STORE_UNAVAILABLE and the address', async () => {
    const store = createRedisStateStore({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 2000 })
    const start = performance.now()
    await expect(store.read('user.1', 0, ['k'])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1') as string,
    })
    await expect(store.commit(aCommit({}))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(performance.now() - start).toBeLessThan(1000)
    await store.close()
  })

  test('a dedupe id costs less than 14 bytes, measured at 10^6 ids', async () => {
    const store = createRedisStateStore({ url, keyPrefix: freshPrefix(), commandTimeoutMs: 20_000 })
    const mixed = (i: number) => BigInt.asUintN(64, BigInt(i + 1) * 0x9e3779b97f4a7c15n)
    await withClient(url, async (client) => {
      const used = async () => Number(/^used_memory_dataset:(\d+)/m.exec(await client.info('memory'))?.[1])
      const before = await used()
      const batch = 2000
      for (let at = 0; at < 1_000_000; at += batch) {
        const hashes = BigUint64Array.from({ length: batch }, (_, i) => mixed(at + i))
        await store.commit(
          aCommit({ from: at, next: at + batch, remember: [{ generation: 1, hashes, ttlMs: 600_000 }] }),
        )
      }
      const bytesPerId = ((await used()) - before) / 1_000_000
      console.log(`dedupe memory: ${bytesPerId.toFixed(2)} bytes per id at 10^6 ids`)
      expect(bytesPerId).toBeGreaterThan(8)
      expect(bytesPerId).toBeLessThan(14)
    })
    await store.dropScope('user.1', [0])
    await store.close()
  })

  test('does not touch keys of other applications in the same database', async () => {
    const keyPrefix = freshPrefix()
    const store = createRedisStateStore({ url, keyPrefix })
    await withClient(url, async (client) => {
      await client.set(`${keyPrefix}{user.0}2/v:k`, 'neighbour')
      await client.set(`other${keyPrefix}{user.0}1/v:k`, 'stranger')
      await store.commit(aCommit({ puts: [{ key: 'k', value: bytes('mine'), ttlMs: null }] }))
      await store.dropScope('user.1', [0])
      expect(await client.keys(`*${keyPrefix}*`)).toHaveLength(2)
    })
    await store.close()
  })

  test.skipIf(faults === null)(
    'a killed server comes back empty: calls fail at once, then ROLLBACK, then all goes on',
    async () => {
      const store = createRedisStateStore({ url, keyPrefix: freshPrefix(), commandTimeoutMs })
      await store.commit(aCommit({ next: 9, puts: [{ key: 'k', value: bytes('v'), ttlMs: null }] }))
      await faults!.signal([redisPorts.primary], 'KILL')
      await expect(store.read('user.1', 0, ['k'])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await faults!.start(redisPorts.primary)
      const back = performance.now()
      const outcome = await eventually(() => store.commit(aCommit({ from: 9, next: 12 })))
      expect(outcome).toEqual({ kind: 'ROLLBACK', stored: 0 })
      expect(performance.now() - back).toBeLessThan(2000)
      await store.close()
    },
  )

  test.skipIf(faults === null)('the client leaves a demoted master for the new one', async () => {
    const { primary, replica } = redisPorts
    const proxy = await openTcpProxy(faults!.address(primary))
    const keyPrefix = freshPrefix()
    const store = createRedisStateStore({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix, commandTimeoutMs })
    const k = (value: string) => [{ key: 'k', value: bytes(value), ttlMs: null }]
    await store.commit(aCommit({ puts: k('1') }))
    await makeReplica(faults!, replica, primary)
    await faults!.cli(replica, 'replicaof', 'no', 'one')
    await faults!.cli(primary, 'replicaof', '127.0.0.1', String(replica))
    proxy.retargetNew(faults!.address(replica))
    const outcome = await eventually(() => store.commit(aCommit({ from: 1, next: 2, puts: k('2') })))
    expect(outcome).toEqual({ kind: 'APPLIED', stored: 2 })
    expect(text((await store.read('user.1', 0, ['k'])).values[0])).toBe('2')
    await store.close()
    await proxy.close()
    await faults!.cli(primary, 'replicaof', 'no', 'one')
  })
}

function clusterTests({ nodes, natMap, faults }: RedisClusterTarget): void {
  test('spreads partitions and families over the masters, each partition on one', async () => {
    const keyPrefix = freshPrefix()
    const store = createRedisStateStore({ clusterNodes: nodes, natMap, keyPrefix })
    for (let partition = 0; partition < 32; partition++) {
      for (const scope of ['user.1', 'pin.1']) {
        const puts = ['a', 'b', 'c'].map((key) => ({ key, value: bytes('v'), ttlMs: null }))
        await store.commit(aCommit({ scope, partition, puts, meta: bytes('m') }))
      }
    }
    const owners = new Map<string, Set<number>>()
    const counts = [0, 0, 0]
    for (const [i, node] of nodes.entries()) {
      await withClient(node, async (client) => {
        for (const key of await client.keys(`${keyPrefix}*`)) {
          const tag = /\{.*?\}/.exec(key)?.[0] ?? ''
          owners.set(tag, (owners.get(tag) ?? new Set()).add(i))
          counts[i]! += 1
        }
      })
    }
    expect(owners.size).toBe(64)
    expect([...owners.values()].every((masters) => masters.size === 1)).toBe(true)
    expect(Math.min(...counts)).toBeGreaterThan(0.2 * counts.reduce((a, b) => a + b))
    expect(await store.evictionProblem()).toBeNull()
    await store.close()
  })

  test('follows a slot that moved to another master', async () => {
    const scope = 'moving.1'
    const keyPrefix = freshPrefix()
    const store = createRedisStateStore({ clusterNodes: nodes, natMap, keyPrefix })
    await store.commit(aCommit({ scope, puts: [{ key: 'k', value: bytes('v'), ttlMs: null }] }))
    const client = new Cluster([...nodes], { natMap })
    await client.ping()
    const slot = await client.cluster('KEYSLOT', '{moving.0}')
    const ids: string[] = []
    for (const node of nodes) await withClient(node, async (each) => ids.push(await each.cluster('MYID')))
    const keys = await keysOf(client, keyPrefix)
    const owner = await ownerOf(nodes, keys[0] ?? '')
    const receiver = (owner + 1) % 3
    const dumps = await Promise.all(keys.map((key) => dumpOf(client, key)))
    await client.unlink(...keys)
    for (const node of [nodes[receiver]!, nodes[owner]!, nodes[(owner + 2) % 3]!]) {
      await withClient(node, (each) => each.cluster('SETSLOT', slot, 'NODE', ids[receiver]!))
    }
    for (const { key, dump } of dumps) await withClient(nodes[receiver]!, (each) => each.restore(key, 0, dump))
    const outcome = await eventually(() => store.commit(aCommit({ scope, from: 1, next: 2 })))
    expect(outcome).toEqual({ kind: 'APPLIED', stored: 2 })
    expect(text((await store.read(scope, 0, ['k'])).values[0])).toBe('v')
    client.disconnect()
    await store.close()
  })

  test.skipIf(faults === null)('a silent master makes only its own partitions unavailable', async () => {
    const store = createRedisStateStore({ clusterNodes: nodes, natMap, keyPrefix: freshPrefix(), commandTimeoutMs })
    const partitions = Array.from({ length: 16 }, (_, partition) => partition)
    for (const partition of partitions) expect((await store.commit(aCommit({ partition }))).kind).toBe('APPLIED')
    await faults!.signal([redisPorts.cluster[0]], 'STOP')
    const answers = await Promise.all(
      partitions.map((partition) =>
        store.read('user.1', partition, []).then(
          () => 1,
          () => 0,
        ),
      ),
    )
    await faults!.signal([redisPorts.cluster[0]], 'CONT')
    const alive = answers.reduce<number>((sum, answer) => sum + answer, 0)
    expect(alive).toBeGreaterThan(4)
    expect(alive).toBeLessThan(16)
    for (const partition of partitions) {
      const outcome = await eventually(() => store.commit(aCommit({ partition, from: 1, next: 2 })))
      expect(outcome.stored).toBe(2)
    }
    await store.close()
  })
}

async function ownerOf(nodes: readonly string[], key: string): Promise<number> {
  for (const [i, node] of nodes.entries()) {
    let found = false
    await withClient(node, async (client) => {
      found = (await client.keys('*')).includes(key)
    })
    if (found) return i
  }
  throw new Error(`no node has ${key}`)
}
