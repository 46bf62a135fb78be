import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { freePort, until } from '@freshet/service/testing'
import { afterEach, describe, expect, it } from 'vitest'

const program = new URL('./main.ts', import.meta.url).pathname
const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0)) end()
})

/** Runs event-ingest with the address of a Kafka that does not exist. */
async function run(settings: Readonly<Record<string, string>>) {
  const unusedPort = await freePort()
  const all = {
    'kafka.brokers': `127.0.0.1:${unusedPort}`,
    'operations.port': '0',
    'grpc.port': '0',
    'http.port': '0',
    ...settings,
  }
  const child = spawn(process.execPath, [
    program,
    ...Object.entries(all).flatMap(([path, value]) => [`--${path}`, value]),
  ])
  ending.push(() => child.kill('SIGKILL'))
  let text = ''
  child.stderr.on('data', (chunk) => (text += String(chunk)))
  return {
    text: () => text,
    ownLines: () => text.split('\n').filter((line) => line !== '' && !line.startsWith('{')),
    exit: new Promise<number | null>((resolve) => child.on('close', resolve)),
    kill: () => child.kill('SIGTERM'),
  }
}

describe('the process event-ingest', () => {
  it('is not ready and answers 503 with Retry-After while Kafka is unreachable, and still stops on a signal', async () => {
    const [http, operations] = [await freePort(), await freePort()]
    const ingest = await run({
      'http.port': String(http),
      'operations.port': String(operations),
      'ingest.appendTimeoutMs': '300',
      'kafka.appendTimeoutMs': '300',
    })
    const ready = await until(
      'operations',
      () => fetch(`http://127.0.0.1:${operations}/readyz`).catch(() => null),
      15_000,
    )
    expect(ready.status).toBe(503)
    expect(JSON.stringify(await ready.json())).toContain('topics: ')
    expect((await fetch(`http://127.0.0.1:${operations}/livez`)).status).toBe(200)
    const occurredAt = new Date().toISOString()
    const answer = await fetch(`http://127.0.0.1:${http}/v1/engagements`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ eventId: 'e', userId: 'u', action: 'click', pinId: 'p', occurredAt }),
    })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(await answer.json()).toMatchObject({ error: { code: 'INGEST_UNAVAILABLE', retryable: true } })
    ingest.kill()
    expect(await ingest.exit).toBe(0)
  })

  it('A21: stops within seconds while clients hold connections to all of its ports', async () => {
    const [http, grpc, operations] = [await freePort(), await freePort(), await freePort()]
    const ingest = await run({
      'http.port': String(http),
      'grpc.port': String(grpc),
      'operations.port': String(operations),
      // Far beyond the test's own time: a stop that waited for the clients would not end in time.
      'http.maxReceiveMs': '600000',
    })
    await until('operations', () => fetch(`http://127.0.0.1:${operations}/livez`).catch(() => null), 15_000)
    await until('grpc', () => ingest.text().includes('listening'), 15_000)
    const slow =
      'POST /v1/pins HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 4000000\r\n\r\n{'
    const sockets = [http, grpc, operations].flatMap((port) =>
      ['', 'POST', slow].map((text) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined).write(text)
        return new Promise<typeof socket>((resolve) => socket.once('connect', () => resolve(socket)))
      }),
    )
    for (const socket of await Promise.all(sockets)) ending.push(() => socket.destroy())
    ingest.kill()
    expect(await ingest.exit).toBe(0)
  }, 60_000)

  it.each(['http.port', 'grpc.port', 'operations.port'])(
    'ends with one clear line when %s is in use',
    async (setting) => {
      const taken = createServer()
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
      ending.push(() => void taken.close())
      const { port } = taken.address() as { port: number }
      const ingest = await run({ [setting]: String(port) })
      expect(await ingest.exit).toBe(69)
      expect(ingest.ownLines()).toEqual([
        `event-ingest: PORT_IN_USE: port ${port} on 127.0.0.1 is in use by another process`,
      ])
    },
  )

  it('ends with all problems of its configuration', async () => {
    const ingest = await run({ 'ingest.maxBatchEvents': '0', 'http.prot': '1' })
    expect(await ingest.exit).toBe(78)
    const lines = ingest.ownLines()
    expect(lines).toHaveLength(3)
    expect(lines.join('\n')).toContain('did you mean --http.port?')
    expect(lines.join('\n')).toContain('1–10000 events')
  })
})
