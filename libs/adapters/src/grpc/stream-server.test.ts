import { EventEmitter } from 'node:events'
import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { Decoded } from './decode.ts'
import type { StreamRequest, StreamResponse } from './stream-messages.ts'
import { createCallServer } from './stream-server.ts'

type Duplex = ServerDuplexStream<Decoded<StreamRequest<number>>, StreamResponse<number>>

/** A stream whose peer sent all its messages before the server could read. */
class FakeDuplex extends EventEmitter {
  readonly written: StreamResponse<number>[] = []
  write(response: StreamResponse<number>): boolean {
    this.written.push(response)
    this.emit('written')
    return true
  }
  pause(): this {
    return this
  }
  resume(): this {
    return this
  }
  end(): void {
    this.emit('ended')
  }
}

test('under overload the server skips calls whose deadline has passed, so that some answers still come in time', async () => {
  let begun = 0
  const server = createCallServer<number, number>(
    'Try',
    async (request) => {
      begun++
      const startedAtMs = performance.now()
      while (performance.now() - startedAtMs < 10);
      return request
    },
    { onDefect: () => undefined },
  )
  const duplex = new FakeDuplex()
  server.stream(duplex as unknown as Duplex)
  const asked = 60
  const all = new Promise<void>((resolve) => {
    duplex.on('written', () => {
      if (duplex.written.length === asked) resolve()
    })
  })
  for (let id = 1; id <= asked; id++) {
    duplex.emit('data', { message: { correlationId: id, timeoutMs: 150, request: id } })
  }
  expect(begun).toBeLessThanOrEqual(1)
  await all
  const late: number = status.DEADLINE_EXCEEDED
  const codes = duplex.written.map(({ code }) => code)
  const answered = codes.filter((code) => code === 0).length
  expect(answered).toBeGreaterThan(0)
  expect(begun).toBeLessThan(asked / 2)
  expect(codes.filter((code) => code === late)).toHaveLength(asked - answered)
})
