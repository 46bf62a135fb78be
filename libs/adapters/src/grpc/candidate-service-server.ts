import type { Server } from '@grpc/grpc-js'
import {
  RetrieveRequest,
  RetrieveStreamRequest,
  CandidateServiceService,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService } from '@freshet/contracts/ports/calls'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** A candidate service as a gRPC service: unary and streaming, one implementation. */
export function serveCandidateService(service: CandidateService, options: CallServerOptions) {
  const { unary, stream, drain } = createCallServer('Retrieve', service.retrieve, options)
  const { retrieve, retrieveStream } = CandidateServiceService
  const definition = {
    retrieve: {
      ...retrieve,
      requestDeserialize: tolerant('freshet.retrieval.v1.RetrieveRequest', (bytes) => RetrieveRequest.decode(bytes)),
    },
    retrieveStream: {
      ...retrieveStream,
      requestDeserialize: tolerant('freshet.retrieval.v1.RetrieveStreamRequest', (bytes) =>
        RetrieveStreamRequest.decode(bytes),
      ),
    },
  }
  return {
    definition,
    implementation: { retrieve: unary, retrieveStream: stream },
    /** Asks clients to open their next stream elsewhere; what is under way is still answered. */
    drain,
  }
}

/** Adds a candidate service to a server. What is returned lets go of its streams before a shutdown. */
export function addCandidateService(
  server: Server,
  service: CandidateService,
  options: CallServerOptions,
): { drain(): void } {
  const { definition, implementation, drain } = serveCandidateService(service, options)
  server.addService(definition, implementation)
  return { drain }
}
