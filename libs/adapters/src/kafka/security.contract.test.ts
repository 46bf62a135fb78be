import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isContractError } from '@freshet/contracts/errors'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { kafkaSchema, type KafkaConfig } from '../settings.ts'
import { aRecord, aTopic, until } from '../suites/event-log.builders.ts'
import { eventLogContract } from '../suites/event-log.suite.ts'
import { createSystemClock } from '../system/clock.ts'
import { makeCertificates } from '../testing/certificates.ts'
import { testHost } from '../testing/kafka-server.ts'
import { plainLogin, secureKafka } from '../testing/secure-kafka.ts'
import { kafkaOptions } from './connect.ts'
import { createKafkaEventLog } from './event-log.ts'
import { kafkaClients } from './options.ts'
import { compactSoon, expireAll } from './testing.ts'

const certificates = makeCertificates([testHost()])
const server = await secureKafka(certificates)
const clock = createSystemClock()

type Given = Omit<z.input<typeof kafkaSchema>, 'tls' | 'sasl'> & { readonly tls?: object; readonly sasl?: object }

/** Settings as a process reads them. */
function settings(given: Given): KafkaConfig {
  return kafkaSchema.parse({ appendTimeoutMs: 3_000, ...given, tls: given.tls ?? {}, sasl: given.sasl ?? {} })
}

if ('absent' in server) {
  describe.skip(`A22 · Kafka by TLS and SASL (skipped: ${server.absent})`, () => {
    test.todo('needs a broker')
  })
} else {
  const { login, certificate, plain, username, password } = server.target
  afterAll(async () => {
    await server.stop()
    certificates.remove()
  })
  const passwordFile = join(certificates.folder, 'password')
  writeFileSync(passwordFile, `${password}\n`)
  const tls = { enabled: true, caFile: certificates.ca }
  const scram = { mechanism: 'scram-sha-512', username, passwordFile }
  describe.each(kafkaClients)('by %s', (client) => {
    const open = (given: Given) =>
      createKafkaEventLog({
        ...kafkaOptions(settings(given)),
        client,
        clientId: 'secured',
        clock,
        heartbeatMs: 200,
        replicationFactor: 1,
      })

    eventLogContract(`Kafka by TLS and SCRAM, by ${client}`, async () => {
      const log = open({ brokers: [...login], tls, sasl: scram })
      const other = open({ brokers: [...login], tls, sasl: { ...scram, mechanism: 'scram-sha-256' } })
      return Promise.resolve({
        log,
        other,
        storesElsewhere: true,
        async open(topic) {
          const another = open({ brokers: [...login], tls, sasl: scram })
          await another.applyTopics([topic])
          return another
        },
        compact: (topic) => compactSoon(plain, topic),
        expire: ({ name, partitions }) => expireAll(plain, name, partitions),
        async dispose() {
          await Promise.all([log.close(), other.close()])
        },
      })
    })

    async function writesAndReads(log: EventLog): Promise<string> {
      const topic = aTopic()
      await log.applyTopics([topic])
      await log.append(topic.name, [aRecord('secured')])
      let read = ''
      const errors: string[] = []
      const reader = await log.readAll({
        topics: [topic.name],
        maxBatchRecords: 10,
        startAt: () => null,
        // A broker may not lead a newly created topic yet.
        onError: ({ message }) => void errors.push(message),
        onBatch: async ({ records }) => {
          read = new TextDecoder().decode(records[0]!.value)
          return Promise.resolve()
        },
      })
      await until('the record', () => read !== '').catch((error: unknown) =>
        Promise.reject(new Error(`${String(error)}; ${errors.join('; ')}`)),
      )
      await reader.stop()
      return read
    }

    describe('A22 · Kafka is reached', () => {
      test.each<[string, () => Given]>([
        ['by PLAIN over TLS', () => ({ brokers: [...login], tls, sasl: { mechanism: 'plain', ...plainLogin } })],
        [
          'by SCRAM-SHA-256 over TLS',
          () => ({ brokers: [...login], tls, sasl: { mechanism: 'scram-sha-256', username, password } }),
        ],
        [
          "by a client's certificate",
          () => ({
            brokers: [...certificate],
            tls: { ...tls, certFile: certificates.client.cert, keyFile: certificates.client.key },
          }),
        ],
        ['without either', () => ({ brokers: [...plain] })],
      ])('%s', async (_name, given) => {
        const log = open(given())
        await expect(writesAndReads(log)).resolves.toBe('secured')
        await log.close()
      })

      test('again after the password was changed in its file, by the same process', async () => {
        const changing = join(certificates.folder, 'changing')
        writeFileSync(changing, 'wrong')
        const log = open({ brokers: [...login], tls, sasl: { ...scram, passwordFile: changing } })
        await expect(log.partitionCount('any')).rejects.toMatchObject({ code: 'LOG_LOGIN_REFUSED' })
        writeFileSync(changing, password)
        await expect(writesAndReads(log)).resolves.toBe('secured')
        await log.close()
      })
    })

    describe('A22 · Kafka is not reached, and the error names the setting to change', () => {
      test.each<[string, () => Given, string, RegExp]>([
        [
          'with a wrong password',
          () => ({ brokers: [...login], tls, sasl: { mechanism: 'scram-sha-512', username, password: 'wrong' } }),
          'LOG_LOGIN_REFUSED',
          /kafka\.sasl\.username and kafka\.sasl\.password/,
        ],
        [
          'as an unknown user',
          () => ({ brokers: [...login], tls, sasl: { mechanism: 'plain', username: 'nobody', password } }),
          'LOG_LOGIN_REFUSED',
          /kafka\.sasl\.username/,
        ],
        ['without a login', () => ({ brokers: [...login], tls }), 'LOG_UNAVAILABLE', /wants a login.*kafka\.sasl/],
        [
          'with an authority that did not sign',
          () => ({ brokers: [...login], tls: { ...tls, caFile: certificates.strangerCa }, sasl: scram }),
          'LOG_TLS_FAILED',
          /signed by nobody trusted.*kafka\.tls\.caFile/,
        ],
        [
          'without the authority',
          () => ({ brokers: [...login], tls: { enabled: true }, sasl: scram }),
          'LOG_TLS_FAILED',
          /kafka\.tls\.caFile/,
        ],
        [
          'with a certificate for another name',
          () => ({ brokers: [...login], tls: { ...tls, serverName: 'kafka.example.org' }, sasl: scram }),
          'LOG_TLS_FAILED',
          /another name.*kafka\.tls\.serverName/,
        ],
        [
          "without a client's certificate",
          () => ({ brokers: [...certificate], tls }),
          'LOG_TLS_FAILED',
          /kafka\.tls\.certFile/,
        ],
        [
          'in the clear on a TLS port',
          () => ({ brokers: [...login] }),
          'LOG_TLS_FAILED',
          /speaks TLS.*kafka\.tls\.enabled/,
        ],
        ['by TLS on a port in the clear', () => ({ brokers: [...plain], tls }), 'LOG_TLS_FAILED', /does not speak TLS/],
      ])('%s', async (_name, given, code, message) => {
        const log = open(given())
        const started = performance.now()
        const error: unknown = await log.partitionCount('any').catch((each: unknown) => each)
        expect(isContractError(error) && { code: error.code, retryable: error.retryable }, String(error)).toEqual({
          code,
          retryable: true,
        })
        expect((error as Error).message).toMatch(message)
        expect((error as Error).message).not.toContain('wrong"')
        expect(performance.now() - started).toBeLessThan(4_000)
        await log.close()
      })
    })
  })
}
