import { constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { GetFeedRequest, GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createBlenderClient } from './blender-client.ts'

let server: Http2Server | null = null
afterEach(() => server?.close())

const frameHeaderBytes = 5

function answer(stream: ServerHttp2Stream): void {
  const message = GetFeedResponse.encode(GetFeedResponse.fromPartial({ feedId: 'f' })).finish()
  const frame = Buffer.alloc(frameHeaderBytes + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, frameHeaderBytes)
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(frame)
}

test('a call that the only blender refused before it began is sent again', async () => {
  let streams = 0
  server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    if (streams++ === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else answer(stream)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const client = createBlenderClient({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` })
  const ask = () => client.getFeed(GetFeedRequest.fromPartial({ userId: 'ada' }), { timeoutMs: 5_000 })
  expect((await ask()).feedId).toBe('f')
  expect((await ask()).feedId).toBe('f')
  expect(streams).toBe(3)
  client.close()
})
