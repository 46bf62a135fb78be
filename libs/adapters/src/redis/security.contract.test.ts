import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isContractError } from '@freshet/contracts/errors'
import { afterAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { redisSchema } from '../settings.ts'
import { aCommit, bytes, text } from '../suites/state-store.builders.ts'
import { stateStoreContract } from '../suites/state-store.suite.ts'
import type { StateStoreFixture } from '../suites/state-store.world.ts'
import { makeCertificates } from '../testing/certificates.ts'
import { testHost } from '../testing/kafka-server.ts'
import { secureRedis } from '../testing/secure-redis.ts'
import { redisOptions } from './connect.ts'
import { createRedisStateStore, type RedisStateStore } from './state-store.ts'

const certificates = makeCertificates([testHost()])
const server = await secureRedis(certificates)

type Given = Omit<z.input<typeof redisSchema>, 'tls'> & { readonly tls?: object }

let prefixes = 0
function open(given: Given, keyPrefix = `secured-${process.pid}-${prefixes++}:`): RedisStateStore {
  return createRedisStateStore(redisOptions(redisSchema.parse({ keyPrefix, ...given, tls: given.tls ?? {} })))
}

if ('absent' in server) {
  describe.skip(`A22 · Redis by TLS and with logins (skipped: ${server.absent})`, () => {
    test.todo('needs a server')
  })
} else {
  const { login, certificate, plain, cluster, username, password } = server.target
  afterAll(async () => {
    await server.stop()
    certificates.remove()
  })
  const passwordFile = join(certificates.folder, 'password')
  writeFileSync(passwordFile, `${password}\n`)
  const tls = { caFile: certificates.ca }

  function fixtureOf(given: Given): () => Promise<StateStoreFixture> {
    return async () => {
      const keyPrefix = `secured-${process.pid}-${prefixes++}:`
      const stores = [open(given, keyPrefix)]
      return Promise.resolve({
        store: stores[0]!,
        another() {
          const store = open(given, keyPrefix)
          stores.push(store)
          return store
        },
        pass: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
        async close() {
          await Promise.all(stores.map((store) => store.close()))
        },
      })
    }
  }
  // state-store.contract.test.ts tests faults of servers.
  stateStoreContract('Redis by TLS, with a login', fixtureOf({ url: login, username, passwordFile, tls }))
  stateStoreContract(
    'Redis Cluster by TLS, with a login',
    fixtureOf({ clusterNodes: [...cluster], username, password, tls }),
  )

  describe('A22 · Redis is reached', () => {
    const encoded = encodeURIComponent(password)
    test.each<[string, () => Given]>([
      ['by a login in the address', () => ({ url: login.replace('//', `//${username}:${encoded}@`), tls })],
      [
        'by a login in the addresses of a Cluster',
        () => ({ clusterNodes: cluster.map((node) => node.replace('//', `//${username}:${encoded}@`)), tls }),
      ],
      [
        "by a client's certificate",
        () => ({
          url: certificate,
          username,
          password,
          tls: { ...tls, certFile: certificates.client.cert, keyFile: certificates.client.key },
        }),
      ],
      ['in the clear, with a login', () => ({ url: plain, username, password })],
    ])('%s', async (_name, given) => {
      const store = open(given())
      await store.commit(aCommit({ puts: [{ key: 'k', value: bytes('secured'), ttlMs: null }] }))
      expect(text((await store.read('user.1', 0, ['k'])).values[0])).toBe('secured')
      expect(await store.evictionProblem()).toBeNull()
      await store.close()
    })
  })

  describe('A22 · Redis is not reached, and the error names the setting to change', () => {
    const stranger = { caFile: certificates.strangerCa }
    test.each<[string, () => Given, string, RegExp]>([
      [
        'with a wrong password',
        () => ({ url: login, username, password: 'wrong', tls }),
        'STORE_LOGIN_REFUSED',
        /redis\.password/,
      ],
      ['without a login', () => ({ url: login, tls }), 'STORE_LOGIN_REFUSED', /NOAUTH.*redis\.username/],
      ['without a login, in the clear', () => ({ url: plain }), 'STORE_LOGIN_REFUSED', /redis\.username/],
      [
        'with an authority that did not sign',
        () => ({ url: login, username, password, tls: stranger }),
        'STORE_TLS_FAILED',
        /signed by nobody trusted.*redis\.tls\.caFile/,
      ],
      ['without the authority', () => ({ url: login, username, password }), 'STORE_TLS_FAILED', /redis\.tls\.caFile/],
      [
        'with a certificate for another name',
        () => ({ url: login, username, password, tls: { ...tls, serverName: 'redis.example.org' } }),
        'STORE_TLS_FAILED',
        /another name.*redis\.tls\.serverName/,
      ],
      [
        "without a client's certificate",
        () => ({ url: certificate, username, password, tls }),
        'STORE_TLS_FAILED',
        /redis\.tls\.certFile/,
      ],
      [
        'in the clear on a TLS port',
        () => ({ url: login.replace('rediss', 'redis'), username, password }),
        'STORE_TLS_FAILED',
        /speaks TLS.*rediss:/,
      ],
      [
        'by TLS on a port in the clear',
        () => ({ url: plain.replace('redis', 'rediss'), username, password, tls }),
        'STORE_TLS_FAILED',
        /does not speak TLS/,
      ],
      [
        'a Cluster with a wrong password',
        () => ({ clusterNodes: [...cluster], username, password: 'wrong', tls }),
        'STORE_LOGIN_REFUSED',
        /redis\.password/,
      ],
      [
        'a Cluster with an authority that did not sign',
        () => ({ clusterNodes: [...cluster], username, password, tls: stranger }),
        'STORE_TLS_FAILED',
        /redis\.tls\.caFile/,
      ],
    ])('%s', async (_name, given, code, message) => {
      const store = open(given())
      const started = performance.now()
      for (const again of [1, 2]) {
        const error: unknown = await store.read('user.1', 0, ['k']).catch((each: unknown) => each)
        expect(isContractError(error) && error.code, `${again}: ${String(error)}`).toBe(code)
        expect((error as Error).message).toMatch(message)
        expect((error as Error).message).not.toContain(password)
      }
      expect(performance.now() - started).toBeLessThan(4_000)
      await store.close()
    })
  })
}
