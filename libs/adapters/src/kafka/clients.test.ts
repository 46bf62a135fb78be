import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createSystemClock } from '../system/clock.ts'
import { brokersOf } from './clients.ts'
import { kafkaClients, withDefaults, type KafkaClient } from './options.ts'
import type { KafkaBroker, ProtocolCall } from './wire/broker.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

type Answer = (socket: Socket, correlationId: Buffer) => void

/** A broker whose `n`th connection answers with `answers[n]`; later connections use the last one. */
async function aBroker(client: KafkaClient, ...answers: Answer[]): Promise<KafkaBroker> {
  let connections = 0
  const server = createServer((socket) => {
    const answer = answers[Math.min(connections++, answers.length - 1)]
    socket.on('error', () => undefined)
    socket.on('data', (request: Buffer) => answer?.(socket, request.subarray(8, 12)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const clock = createSystemClock()
  const times = { requestTimeoutMs: 300, connectionTimeoutMs: 1_000 }
  const broker = brokersOf(withDefaults({ client, clientId: 'test', brokers: [], clock, ...times }))('127.0.0.1', port)
  closing.push(async () => {
    await broker.cut(new Error('the test is over'))
    await new Promise((resolve) => server.close(resolve))
  })
  return broker
}

const frame = (length: number, ...parts: readonly Buffer[]): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(length)
  return Buffer.concat([size, ...parts])
}
const whole = (socket: Socket, correlationId: Buffer): void => {
  socket.write(frame(6, correlationId, Buffer.from('ok')))
}

const call: ProtocolCall<string> = {
  apiKey: 3,
  apiVersion: 0,
  apiName: 'Test',
  encode: () => Buffer.alloc(0),
  decode: (payload) => payload.toString(),
}

describe.each(kafkaClients)('a connection to a broker, by %s', (client) => {
  test('that broke in the middle of an answer does not corrupt the answers of the next one', async () => {
    const cutOff: Answer = (socket, id) => {
      socket.write(frame(1_000, id, Buffer.from('the beginning')), () => socket.destroy())
    }
    const broker = await aBroker(client, cutOff, whole)
    await expect(broker.send(call)).rejects.toThrow('the broker closed the connection')
    expect(await broker.send(call)).toBe('ok')
  })

  test('whose broker sends bytes that are not an answer fails without ending the process', async () => {
    const nonsense: Answer = (socket) => {
      socket.write(frame(2, Buffer.from('no')))
    }
    const broker = await aBroker(client, nonsense, whole)
    await expect(broker.send(call)).rejects.toThrow('bytes that are not an answer')
    expect(await broker.send(call)).toBe('ok')
  })

  test('whose broker does not answer rejects in time, and the next request connects again', async () => {
    const broker = await aBroker(client, () => undefined, whole)
    await expect(broker.send(call)).rejects.toThrow()
    await broker.cut(new Error('given up'))
    expect(await broker.send(call)).toBe('ok')
  })

  test('that is cut rejects its pending requests immediately', async () => {
    const asked = Promise.withResolvers<undefined>()
    const broker = await aBroker(client, () => asked.resolve(undefined), whole)
    const waiting = broker.send(call)
    waiting.catch(() => undefined)
    await asked.promise
    await broker.cut(new Error('the reader was stopped'))
    await expect(waiting).rejects.toThrow('the reader was stopped')
  })

  test('joins again with the id that a new member receives', async () => {
    const memberIdRequired = 79
    const text = (value: string) => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)])
    const joined = (errorCode: number) =>
      Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, errorCode, 0, 0, 0, 7]),
        text('p'),
        text('m1'),
        text('m1'),
        Buffer.alloc(4),
      ])
    const requests: string[] = []
    const versions = Buffer.from([0, 0, 0, 0, 0, 1, 0, 11, 0, 0, 0, 5, 0, 0, 0, 0])
    const answers: Answer = (socket, id) => {
      const body = requests.length === 0 ? versions : joined(requests.length === 1 ? memberIdRequired : 0)
      socket.write(frame(4 + body.length, id, body))
      requests.push('asked')
    }
    const broker = await aBroker(client, answers)
    await broker.connect()
    const member = { groupId: 'g', memberId: '', groupInstanceId: null, protocol: 'p', metadata: Buffer.alloc(0) }
    const found = await broker.joinGroup({ ...member, sessionTimeoutMs: 1_000, rebalanceTimeoutMs: 1_000 })
    expect(found).toEqual({ generationId: 7, leaderId: 'm1', memberId: 'm1', members: [] })
    expect(requests).toHaveLength(3)
  })
})
