import { status } from '@grpc/grpc-js'
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a call of gRPC ended with: the name of its status, or how the connection ended it. */
export interface GrpcAnswer {
  readonly status: string
  readonly message: string
}

/** A call as bytes. */
export interface GrpcCall {
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly data: Buffer
  readonly calls: number
  /** Reset each call after its data. */
  readonly reset: boolean
  /** Never end the request. */
  readonly open: boolean
}

const patienceMs = 3_000

/** Opens a connection, makes the calls and returns what each ended with. */
export async function callGrpc(port: number, call: GrpcCall): Promise<GrpcAnswer[]> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { enablePush: false } })
  session.on('error', () => undefined)
  try {
    const answers: Promise<GrpcAnswer>[] = []
    for (let i = 0; i < call.calls && !session.destroyed && !session.closed; i++) {
      answers.push(callOnce(session, call))
      if (i % 100 === 99) await sleep(0)
    }
    return await Promise.all(answers)
  } finally {
    session.destroy()
  }
}

function callOnce(session: ClientHttp2Session, { path, headers, data, reset, open }: GrpcCall): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    let answered: GrpcAnswer | null = null
    const end = (name: string, message = ''): void => {
      clearTimeout(timer)
      resolve(answered ?? { status: name, message })
    }
    const timer = setTimeout(() => end('SILENT'), patienceMs)
    const note = (given: Readonly<Record<string, unknown>>): void => {
      const code = given['grpc-status']
      const http = Number(given[':status'] ?? 200)
      const message = decodeURIComponent((given['grpc-message'] as string | undefined) ?? '')
      if (code !== undefined) answered = { status: status[Number(code)] ?? 'UNKNOWN', message }
      else if (http !== 200) answered = { status: `HTTP ${http}`, message }
    }
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      })
      stream.on('response', note).on('trailers', note)
      stream.on('error', () => undefined)
      stream.on('close', () => end('RESET'))
      stream.resume()
      stream.write(data)
      if (reset) stream.close(constants.NGHTTP2_CANCEL)
      else if (!open) stream.end()
    } catch (error) {
      end('NOT SENT', (error as Error).message)
    }
  })
}
