import type { StateStore } from '@freshet/contracts/ports/state-store'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import {
  serviceRights,
  type ServiceWithRights,
  type StoreCallName,
  type StoreRights,
} from '@freshet/contracts/service-rights'
import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { aCommit, bytes } from '../suites/state-store.builders.ts'
import { stateStoreContract } from '../suites/state-store.suite.ts'
import { redisServer } from '../testing/redis-server.ts'
import { redisUser } from '../testing/redis-user.ts'
import { redisAclRules } from './acls.ts'
import { createRedisBuckets } from './shared-buckets.ts'
import { createRedisStateStore } from './state-store.ts'

const server = await redisServer()
let prefixes = 0
const nextPrefix = (): string => `acls-${process.pid}-${prefixes++}:`

const services = (Object.keys(serviceRights) as ServiceWithRights[]).flatMap((service) => {
  const rights: StoreRights | null = serviceRights[service].store
  return rights === null ? [] : [[service, rights] as const]
})

type Ask = (store: StateStore) => Promise<unknown>
const value = bytes('x')

/** Calls of the store on a scope, with what each needs. */
const scopedCalls: readonly (readonly [
  call: StoreCallName,
  needs: 'read' | 'write',
  ask: (store: StateStore, scope: string) => Promise<unknown>,
])[] = [
  ['read', 'read', (store, scope) => store.read(scope, 0, ['k'])],
  ['readForFold', 'read', (store, scope) => store.readForFold({ ...nothingElse, scope, partition: 0 })],
  ['put', 'write', (store, scope) => store.put(scope, 0, { key: 'k', value, ttlMs: 1_000 })],
  ['append', 'write', (store, scope) => store.append(scope, 0, 'k', value, { maxBytes: 10, ttlMs: 1_000 })],
  [
    'appendIf',
    'write',
    (store, scope) => store.appendIf(scope, 0, 'other', value, { read: null, maxBytes: 10, ttlMs: 1_000 }),
  ],
  ['commit', 'write', (store, scope) => store.commit(aCommit({ scope, from: 0, next: 1 }))],
]

/** What a user of the store with these rights may do, and may not. */
function trials(rights: StoreRights): readonly (readonly [name: string, may: boolean, ask: Ask])[] {
  const holds = (names: readonly string[], name: string): boolean => names.includes(name) || names.includes('*')
  const found: [string, boolean, Ask][] = []
  for (const family of ['user', 'pin', 'served', 'last-good', 'page-reserve']) {
    const scope = family === 'user' || family === 'pin' ? `${family}.1` : family
    const mayWrite = holds(rights.write, family)
    for (const [call, needs, ask] of scopedCalls) {
      const mayTouch = mayWrite || (needs === 'read' && holds(rights.read, family))
      // Rights are on commands and keys. Calls that a service does not make may happen to need nothing else.
      if (!mayTouch || rights.calls.includes(call))
        found.push([`${call} on ${scope}`, mayTouch, (store) => ask(store, scope)])
    }
  }
  for (const pointer of ['cursor-key', 'serving.user']) {
    const mayMove = holds(rights.movePointers, pointer)
    found.push([
      `read the pointer ${pointer}`,
      mayMove || holds(rights.readPointers, pointer),
      (store) => store.pointer(pointer),
    ])
    found.push([`move the pointer ${pointer}`, mayMove, (store) => store.movePointer(pointer, 'none', 'x')])
  }
  found.push(['drop a generation', rights.calls.includes('dropScope'), (store) => store.dropScope('user.9', [0])])
  return found
}

if ('absent' in server) {
  describe.skip(`least rights in Redis (skipped: ${server.absent})`, () => {
    test.todo('needs a server')
  })
} else {
  const { url } = server.target
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  afterAll(() => server.stop())

  const storeOf = async (service: ServiceWithRights, keyPrefix = nextPrefix()) => {
    const store = createRedisStateStore({ url: await redisUser(url, service, keyPrefix), keyPrefix })
    closing.push(() => store.close())
    return store
  }

  stateStoreContract('Redis, with the rights of the operator', async () => {
    const keyPrefix = nextPrefix()
    const address = await redisUser(url, 'freshet', keyPrefix)
    const stores = [createRedisStateStore({ url: address, keyPrefix })]
    return {
      store: stores[0]!,
      another() {
        const store = createRedisStateStore({ url: address, keyPrefix })
        stores.push(store)
        return store
      },
      pass: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
      async close() {
        await Promise.all(stores.map((store) => store.close()))
      },
    }
  })

  describe.each(services)('the Redis user of %s', (service, rights) => {
    test.each(trials(rights))('%s: allowed is %s', async (_name, may, ask) => {
      const store = await storeOf(service)
      if (may) await ask(store)
      else await expect(ask(store)).rejects.toMatchObject({ code: 'STORE_LOGIN_REFUSED' })
    })

    test('counts rates together with its replicas if its rights say so, and otherwise not', async () => {
      const keyPrefix = nextPrefix()
      const buckets = createRedisBuckets({ url: await redisUser(url, service, keyPrefix), keyPrefix })
      closing.push(() => buckets.close())
      const charged = buckets.charge([{ bucket: 'b', cost: 1, limit: { ratePerSecond: 1, burst: 5 } }])
      if (rights.sharesRates) {
        expect(await charged).toBeNull()
        expect((await buckets.secret()).length).toBeGreaterThan(0)
      } else if (service !== 'freshet') await expect(charged).rejects.toMatchObject({ code: 'STORE_LOGIN_REFUSED' })
      else await charged.catch(() => undefined)
    })

    test('may ask for the memory policy', async () => {
      await expect((await storeOf(service)).evictionProblem()).resolves.toBeNull()
    })

    test('may not do what no service does, nor anything with the keys of others', async () => {
      const keyPrefix = nextPrefix()
      const client = new Redis(await redisUser(url, service, keyPrefix))
      const admin = new Redis(url)
      closing.push(async () => {
        await Promise.all([client.quit(), admin.quit()])
      })
      for (const command of [
        'flushall',
        'keys *',
        'config get *',
        'acl list',
        'monitor',
        'slowlog get',
        'shutdown nosave',
      ]) {
        const [name = '', ...args] = command.split(' ')
        await expect(client.call(name, ...args), command).rejects.toThrow(/NOPERM/)
      }
      await admin.set('others:secret', 'x')
      for (const key of ['others:secret', `x${keyPrefix}{user.0}1/v:k`])
        await expect(client.get(key), key).rejects.toThrow(/NOPERM/)
      // A script has the rights of its user.
      const script = `return redis.call('GET', 'others:secret')`
      for (const name of ['eval', 'eval_ro'])
        await expect(client.call(name, script, '0')).rejects.toThrow(/can't access|NOPERM/)
    })
  })

  test('each rule of the command lists is needed: without it, some call fails', async () => {
    const keyPrefix = nextPrefix()
    const needed = redisAclRules(serviceRights.freshet.store, keyPrefix).filter((rule) => rule.startsWith('+'))
    // New connections, also to a Cluster and to another database, need these.
    const elsewhere = ['+cluster|slots', '+cluster|info', '+select', '+info', '+ping']
    const store = await storeOf('freshet', keyPrefix)
    const admin = new Redis(url)
    closing.push(async () => {
      await admin.quit()
    })
    const name = `freshet-${keyPrefix.replaceAll(/\W/g, '')}`
    const all = async (): Promise<void> => {
      const scope = 'user.1'
      await store.put(scope, 0, { key: 'k', value: bytes('x'), ttlMs: null })
      for (const length of [8, 8])
        await store.append('served', 0, 'k', bytes('x'.repeat(length)), { maxBytes: 10, ttlMs: 10_000 })
      await store.appendIf('served', 0, 'k', bytes('y'), { read: bytes('x'.repeat(10)), maxBytes: 30, ttlMs: 10_000 })
      const position = (await store.positions(scope, [0]))[0] ?? 0
      const remember = [{ generation: 1, hashes: BigUint64Array.of(BigInt(position) + 1n), ttlMs: 10_000 }]
      const value = bytes('x')
      await store.commit({
        ...aCommit({ scope, from: position, next: position + 1 }),
        puts: [{ key: 'p', value, ttlMs: null }],
        appends: [{ key: 'q', value, ttlMs: null }],
        deletes: ['k'],
        remember,
      })
      await store.readForFold({
        ...nothingElse,
        scope,
        partition: 0,
        generations: [1],
        hashes: BigUint64Array.of(1n),
        ends: { keys: ['q'], bytes: 8 },
        keys: ['p'],
      })
      await store.pointer('x')
      await store.dropScope(scope, [1])
      await store.put('user.8', 0, { key: 'k', value, ttlMs: null })
      await store.dropScope('user.8', [0])
      await admin.script('FLUSH')
      await store.readForFold({ ...nothingElse, scope, partition: 0 })
      await store.movePointer('x', 'none', 'y')
    }
    await all()
    for (const rule of needed.filter((each) => !elsewhere.includes(each))) {
      await admin.call('acl', 'setuser', name, rule.replace('+', '-'))
      await expect(all(), rule).rejects.toThrow()
      await admin.call('acl', 'setuser', name, rule)
    }
  })
}
