import type { Metadata, CallOptions as GrpcCallOptions, ClientUnaryCall, ServiceError } from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'
import { checkHeaders, noHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { deadlineIn } from './deadline.ts'
import { metadataOf } from './metadata.ts'
import { errorOf } from './status.ts'

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<GrpcCallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall

/** Makes a unary gRPC call. Rejects with errors of the catalogue. */
export function unary<Request, Response>(
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
