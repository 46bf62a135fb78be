import { createServer, type AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unavailable, named } from '../../kafka/errors.ts'
import { createRedisConnection } from '../../redis/connection.ts'
import { tlsAlertByte, tlsProblem } from './problem.ts'

const certificate = /^it refused this client's certificate \(.*\): see kafka\.tls\.certFile and kafka\.tls\.keyFile$/
const agreement = /^it accepts no version or cipher of TLS that this client offers \(.*\)/
const brokeOff = /^it broke off the handshake \(.*\): see its log; check kafka\.tls\.caFile and kafka\.tls\.certFile$/

/** Every alert of RFC 8446, RFC 5246 and their extensions, as OpenSSL names them. */
const alerts: readonly (readonly [number, string, RegExp])[] = [
  [10, 'unexpected message', brokeOff],
  [20, 'bad record mac', brokeOff],
  [21, 'decryption failed', brokeOff],
  [22, 'record overflow', brokeOff],
  [30, 'decompression failure', brokeOff],
  [40, 'handshake failure', /^it refused the handshake \(.*\): it may want a certificate \(see kafka\.tls\.certFile/],
  [41, 'no certificate', certificate],
  [42, 'bad certificate', certificate],
  [43, 'unsupported certificate', certificate],
  [44, 'certificate revoked', certificate],
  [45, 'certificate expired', certificate],
  [46, 'certificate unknown', certificate],
  [47, 'illegal parameter', brokeOff],
  [48, 'unknown ca', certificate],
  [49, 'access denied', certificate],
  [50, 'decode error', brokeOff],
  [51, 'decrypt error', certificate],
  [60, 'export restriction', agreement],
  [70, 'protocol version', agreement],
  [71, 'insufficient security', agreement],
  [80, 'internal error', brokeOff],
  [86, 'inappropriate fallback', agreement],
  [90, 'user cancelled', brokeOff],
  [100, 'no renegotiation', brokeOff],
  [109, 'missing extension', agreement],
  [110, 'unsupported extension', agreement],
  [111, 'certificate unobtainable', certificate],
  [112, 'unrecognized name', /^it does not serve the name .*: set kafka\.tls\.serverName$/],
  [113, 'bad certificate status response', certificate],
  [114, 'bad certificate hash value', certificate],
  [115, 'unknown psk identity', agreement],
  [116, 'certificate required', certificate],
  [120, 'no application protocol', agreement],
]

/** A server that answers everything with one fatal alert. */
let alert = 0
const server = createServer((socket) => {
  socket.on('error', () => undefined)
  socket.once('data', () => socket.end(Buffer.from([tlsAlertByte, 3, 3, 0, 2, 2, alert])))
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => server.close())
const port = (): number => (server.address() as AddressInfo).port

function refusal(number: number): Promise<Error> {
  alert = number
  return new Promise((resolve) => connect({ port: port(), host: '127.0.0.1' }).on('error', resolve))
}

describe('a TLS alert', () => {
  it.each(alerts)('%i (%s) names what to change', async (number, text, problem) => {
    const said = tlsProblem(await refusal(number), 'kafka.tls')
    expect(said).toMatch(problem)
    expect(said).toMatch(new RegExp(`\\([^:()]*${text}, alert ${number}\\)`))
  })

  it('that no setting explains is tried again by the Kafka clients, and is LOG_TLS_FAILED in the end', async () => {
    const error = await refusal(50)
    expect(named('kafka:9093', error)).toBe(error)
    expect(unavailable('Kafka (kafka:9093): metadata', error)).toMatchObject({
      code: 'LOG_TLS_FAILED',
      message: expect.stringContaining('alert 50') as string,
    })
  })

  it('that a setting mends is LOG_TLS_FAILED at once', async () => {
    expect(named('kafka:9093', await refusal(116))).toMatchObject({
      code: 'LOG_TLS_FAILED',
      message: expect.stringContaining('kafka.tls.certFile') as string,
    })
  })

  it.each(['url', 'clusterNodes'] as const)('is STORE_TLS_FAILED for Redis (%s)', async (by) => {
    alert = 50
    const address = `rediss://127.0.0.1:${port()}`
    const redis = createRedisConnection(by === 'url' ? { url: address } : { clusterNodes: [address] })
    try {
      await expect(redis.command('ping', [])).rejects.toMatchObject({
        code: 'STORE_TLS_FAILED',
        message: expect.stringContaining('redis.tls.caFile') as string,
      })
      await expect(redis.onMasters('ping', [])).rejects.toMatchObject({ code: 'STORE_TLS_FAILED' })
    } finally {
      await redis.close()
    }
  })
})

it('other TLS errors without a known reason say that there is no TLS connection', () => {
  const error = Object.assign(new Error('unsupported group'), { code: 'ERR_SSL_X' })
  expect(tlsProblem(error, 'kafka.tls')).toBe('no TLS connection (unsupported group)')
})
