import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { brokerAt, cutConnections, type KafkaBroker, type ProtocolCall } from './kafkajs-internals.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

/** A broker whose `n`th connection answers a request as `answers[n]` says; the last one goes for all that follow. */
async function aBroker(...answers: ((socket: Socket, correlationId: Buffer) => void)[]): Promise<KafkaBroker> {
  let connections = 0
  const server = createServer((socket) => {
    const answer = answers[Math.min(connections++, answers.length - 1)]
    socket.on('error', () => undefined)
    socket.on('data', (request: Buffer) => answer?.(socket, request.subarray(8, 12)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const broker = brokerAt('127.0.0.1', port, 1, { clientId: 'test', requestTimeoutMs: 300, connectionTimeoutMs: 1_000 })
  closing.push(async () => {
    await cutConnections(broker, new Error('the test is over'))
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
  request: {
    apiKey: 3,
    apiVersion: 0,
    apiName: 'Test',
    encode: () => Promise.resolve({ buf: Buffer.alloc(0), buffer: Buffer.alloc(0) }),
  },
  response: {
    decode: (payload) => Promise.resolve({ text: payload.toString() }),
    parse: (decoded) => Promise.resolve((decoded as { text: string }).text),
  },
}

describe('a connection to a broker', () => {
  test('that broke off in the middle of an answer does not spoil the answers of the next one', async () => {
    const broker = await aBroker((socket, id) => {
      socket.write(frame(1_000, id, Buffer.from('the beginning')), () => socket.destroy())
    }, whole)
    await expect(broker.connectionPool.send(call)).rejects.toThrow()
    expect(await broker.connectionPool.send(call)).toBe('ok')
  })

  test('whose broker sends bytes that are no answer fails, and the process goes on', async () => {
    const broker = await aBroker((socket) => {
      socket.write(frame(2, Buffer.from('no')))
    }, whole)
    await expect(broker.connectionPool.send(call)).rejects.toThrow('no answer')
    expect(await broker.connectionPool.send(call)).toBe('ok')
  })
})
