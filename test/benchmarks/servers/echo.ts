import { Server, ServerCredentials } from '@grpc/grpc-js'
import { BlenderService } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { serveParent } from './child.ts'

/** The floor under GetFeed: a bare grpc-js server that answers the same bytes, whatever it is asked. */
const server = new Server({ 'grpc.so_reuseport': 0 })
let body = Buffer.alloc(0)
const { getFeed } = BlenderService
server.addService(
  {
    getFeed: {
      ...getFeed,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
    },
  },
  {
    getFeed: (_call: unknown, answer: (error: null, bytes: Buffer) => void) => {
      answer(null, body)
    },
  },
)

serveParent({
  listen: (bytes: Uint8Array) => {
    body = Buffer.from(bytes)
    return new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port)
        else reject(error)
      })
    })
  },
  async stop() {
    server.forceShutdown()
  },
})
