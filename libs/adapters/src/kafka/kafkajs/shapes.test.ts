import { createRequire } from 'node:module'
import { isContractError } from '@freshet/contracts/errors'
import { describe, expect, test } from 'vitest'
import { loadKafkajs, type ModuleLoader } from './shapes.ts'

const installed: ModuleLoader = createRequire(import.meta.url)
const broker = 'kafkajs/src/broker/index.js'
const pool = 'kafkajs/src/network/connectionPool.js'
const queue = 'kafkajs/src/network/requestQueue/index.js'
const sockets = 'kafkajs/src/network/socketFactory.js'
const requests = 'kafkajs/src/protocol/requests/index.js'
const apiKeys = 'kafkajs/src/protocol/requests/apiKeys.js'

/** The installed kafkajs with one module replaced. */
const replacing =
  (path: string, change: (module: never) => unknown): ModuleLoader =>
  (wanted) =>
    wanted === path ? change(installed(wanted) as never) : installed(wanted)

type Class = new (options: object) => Record<string, unknown>

/** A class whose objects have other properties. */
const withProperties = (properties: object) => (Base: Class) =>
  class extends Base {
    constructor(options: object) {
      super(options)
      Object.assign(this, properties)
    }
  }

/** A pool whose connections lack a property. */
const withoutInConnections = (property: string) => (Pool: Class) =>
  class extends Pool {
    constructor(options: object) {
      super(options)
      for (const connection of this['pool'] as Record<string, unknown>[]) connection[property] = undefined
    }
  }

const withoutProperty = (property: string) => (Base: Class) =>
  class extends Base {
    constructor(options: object) {
      super(options)
      delete this[property]
    }
  }

/** A pool that cannot be made. */
const broken = (Pool: Class) =>
  class extends Pool {
    constructor() {
      super({})
    }
  }

const without = (property: string) => (module: object) => ({ ...module, [property]: undefined })

describe('the shapes of kafkajs', () => {
  test('are all there in the version that is installed', () => {
    expect(Object.keys(loadKafkajs())).toHaveLength(6)
  })

  test.each<[string, ModuleLoader, RegExp]>([
    [
      'a module is gone',
      (path) => (path === broker ? installed('kafkajs/src/gone.js') : installed(path)),
      /the module kafkajs\/src\/broker/,
    ],
    ['Broker is not a class', replacing(broker, () => ({})), /the class Broker/],
    ['Broker has lost a method', replacing(broker, () => Object), /Broker\.prototype\.connect/],
    [
      'Broker looks requests up in another way',
      replacing(broker, withProperties({ lookupRequest: null })),
      /Broker#lookupRequest/,
    ],
    ['Broker does not say versions', replacing(broker, withoutProperty('versions')), /Broker#versions/],
    ['ConnectionPool has lost a method', replacing(pool, () => Object), /ConnectionPool\.prototype\.send/],
    ['a pool cannot be made', replacing(pool, broken), /made without connecting/],
    ['a pool has no connections', replacing(pool, withProperties({ pool: [] })), /ConnectionPool#pool/],
    ['connections cannot be cut', replacing(pool, withoutInConnections('rejectRequests')), /Connection#rejectRequests/],
    ['connections hide what they have read', replacing(pool, withoutInConnections('chunks')), /Connection#chunks/],
    ['connections count differently', replacing(pool, withoutInConnections('bytesNeeded')), /Connection#bytesNeeded/],
    ['connections have another queue', replacing(pool, withoutInConnections('requestQueue')), /RequestQueue#pending/],
    [
      'the queue has lost the method that is patched',
      replacing(queue, () => Object),
      /RequestQueue\.prototype\.schedule/,
    ],
    ['sockets are made in another way', replacing(sockets, () => null), /createSocketFactory/],
    [
      'a request is gone',
      replacing(requests, (module: { requests: object }) => ({ requests: without('JoinGroup')(module.requests) })),
      /requests\.JoinGroup/,
    ],
    ['the requests are gone', replacing(requests, () => null), /requests\.ListOffsets/],
    [
      'a request has another number',
      replacing(apiKeys, (module: object) => ({ ...module, Metadata: 4 })),
      /apiKeys\.Metadata = 3/,
    ],
  ])('if %s, the process gets an error before it connects', (_what, load, shape) => {
    let thrown: unknown = null
    try {
      loadKafkajs(load)
    } catch (error) {
      thrown = error
    }
    expect(isContractError(thrown, 'LOG_CLIENT_UNSUPPORTED'), String(thrown)).toBe(true)
    expect((thrown as Error).message).toMatch(shape)
    expect((thrown as Error).message).toMatch(/kafkajs 2\.2\.4 lacks .*: install kafkajs 2\.2\.4, or set kafka\.client/)
  })
})
