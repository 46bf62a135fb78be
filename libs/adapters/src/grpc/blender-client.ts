import {
  type Metadata,
  type CallOptions as GrpcCallOptions,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'
import { BlenderClient } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { checkHeaders, noHeaders } from '@freshet/contracts/headers'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { channelReady, deadlineIn } from './deadline.ts'
import { metadataOf } from './metadata.ts'
import { errorOf } from './status.ts'

/** A blender over the network, called by unary gRPC calls. */
export interface RemoteBlender extends Blender {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  close(): void
}

/** A blender behind an address. */
export function createBlenderClient(config: ChannelConfig): RemoteBlender {
  const { credentials, options } = channelOf(config)
  const client = new BlenderClient(config.address, credentials, options)
  return {
    getFeed: (request, call) => unary(client.getFeed.bind(client), request, call),
    getRelatedPins: (request, call) => unary(client.getRelatedPins.bind(client), request, call),
    ready: (timeoutMs) => channelReady(client, timeoutMs),
    close: () => {
      client.close()
    },
  }
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<GrpcCallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall

function unary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  { timeoutMs, signal, headers = noHeaders }: CallOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    // An exception here rejects the call.
    checkHeaders(headers)
    if (signal?.aborted) {
      reject(new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: signal.reason }))
      return
    }
    const onAbort = () => {
      call.cancel()
    }
    const call = method(request, metadataOf(headers), { deadline: deadlineIn(timeoutMs) }, (error, response) => {
      signal?.removeEventListener('abort', onAbort)
      if (error === null) resolve(response)
      else reject(errorOf(error.code, error.details, error))
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
