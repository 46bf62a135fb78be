import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { checkPorts } from './check-ports.ts'

const taken = createServer()
afterEach(() => taken.close())

describe('checkPorts', () => {
  it('names the port that another process has, and leaves free ones free', async () => {
    const host = '127.0.0.1'
    taken.listen(0, host)
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const free = { host, port: 0 }
    await expect(checkPorts([free, { host, port }])).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)) as string,
    })
    taken.close()
    await once(taken, 'close')
    await checkPorts([{ host, port }])
    await checkPorts([{ host, port }])
    await expect(checkPorts([{ host, port }, free, { host, port }])).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await checkPorts([{ host, port }])
  })
})
