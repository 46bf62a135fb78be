import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { SurvivingConnector } from './surviving-connector.ts'

it('survives errors of a socket to which ioredis no longer listens', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connector = new SurvivingConnector({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const stream = await connector.connect(new EventEmitter() as never)
  try {
    stream.once('error', () => undefined)
    stream.emit('error', new Error('a refused certificate'))
    expect(() => stream.emit('error', new Error('a TLS alert'))).not.toThrow()
  } finally {
    stream.destroy()
    server.close()
  }
})
