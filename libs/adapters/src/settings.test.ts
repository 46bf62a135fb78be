import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { kafkaOptions } from './kafka/connect.ts'
import { redisOptions } from './redis/connect.ts'
import { kafkaSchema, redisSchema } from './settings.ts'
import { makeCertificates, opensslProblem } from './testing/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-settings-'))
const absent = opensslProblem()
const certificates = absent === null ? makeCertificates() : null
afterAll(() => {
  rmSync(folder, { recursive: true })
  certificates?.remove()
})
const text = join(folder, 'text')
writeFileSync(text, 'no certificate\n')

const kafka = (given: { tls?: object; sasl?: object }) =>
  kafkaSchema.safeParse({ brokers: ['kafka:9092'], tls: given.tls ?? {}, sasl: given.sasl ?? {} })
const redis = (given: object) => redisSchema.safeParse({ tls: {}, ...given })
const problems = (result: { error?: { issues: { path: PropertyKey[]; message: string }[] } | undefined }): string[] =>
  (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)

if (certificates === null) {
  describe.skip(`A22 · settings of connections (skipped: ${absent})`, () => {
    it.todo('needs openssl')
  })
} else
  describe('A22 · settings of connections', () => {
    const { cert } = certificates.client
    it.each<[string, object, RegExp]>([
      ['TLS files without TLS', { tls: { caFile: certificates.ca } }, /^tls\.enabled: TLS is off, but caFile is set/],
      [
        'a file that is not there',
        { tls: { enabled: true, caFile: '/nowhere.pem' } },
        /^tls\.caFile: cannot be read: ENOENT/,
      ],
      [
        'a file that holds no certificate',
        { tls: { enabled: true, caFile: text } },
        /^tls\.caFile: holds no PEM certificate/,
      ],
      ['a certificate without its key', { tls: { enabled: true, certFile: cert } }, /^tls\.keyFile: .*go together/],
      [
        "another's key",
        { tls: { enabled: true, certFile: cert, keyFile: certificates.server.key } },
        /^tls\.keyFile: does not go with certFile/,
      ],
      [
        'a login without a mechanism',
        { sasl: { username: 'me', password: 'x' } },
        /^sasl\.mechanism: .*username, password/,
      ],
      [
        'a mechanism without a password',
        { sasl: { mechanism: 'plain', username: 'me' } },
        /^sasl\.password: plain needs/,
      ],
      [
        'two passwords',
        { sasl: { mechanism: 'plain', username: 'me', password: 'x', passwordFile: text } },
        /^sasl\.passwordFile: password is also set/,
      ],
    ])('of Kafka: %s is refused by name', (_name, given, message) => {
      expect(problems(kafka(given))).toEqual([expect.stringMatching(message)])
    })

    it.each<[string, object, RegExp]>([
      ['no address', {}, /^url: the address of Redis is missing/],
      ['two addresses', { url: 'redis://a', clusterNodes: ['redis://b'] }, /^url: clusterNodes is also set/],
      ['no URL', { url: 'redis:6379' }, /^url: must be an address/],
      ['nodes with and without TLS', { clusterNodes: ['redis://a', 'rediss://b'] }, /^clusterNodes: some addresses/],
      [
        'an authority without TLS',
        { url: 'redis://a', tls: { caFile: certificates.ca } },
        /^tls\.caFile: .*needs rediss/,
      ],
      ['two passwords', { url: 'redis://:pw@a', password: 'x' }, /^password: the address also contains a password/],
      ['a name without a password', { url: 'redis://a', username: 'me' }, /^username: a user name needs a password/],
    ])('of Redis: %s is refused by name', (_name, given, message) => {
      expect(problems(redis(given))).toEqual([expect.stringMatching(message)])
    })

    it('become options of the clients; a password file is read without its line end', () => {
      const passwordFile = join(folder, 'password')
      writeFileSync(passwordFile, 'geheim\n')
      const tls = { enabled: true, caFile: certificates.ca, serverName: 'kafka.example.org' }
      const options = kafkaOptions(
        kafka({ tls, sasl: { mechanism: 'scram-sha-512', username: 'me', passwordFile } }).data!,
      )
      expect(options.ssl?.()).toMatchObject({
        ca: expect.stringContaining('CERTIFICATE') as string,
        servername: tls.serverName,
      })
      expect(options.sasl?.()).toEqual({ mechanism: 'scram-sha-512', username: 'me', password: 'geheim' })
      expect(kafkaOptions(kafka({}).data!)).not.toHaveProperty('ssl')
      expect(redisOptions(redis({ url: 'rediss://a:1', username: 'me', passwordFile }).data!)).toMatchObject({
        url: 'rediss://a:1',
        username: 'me',
        password: 'geheim',
      })
    })
  })
