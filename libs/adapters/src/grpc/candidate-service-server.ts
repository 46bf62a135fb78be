import type { Server } from '@grpc/grpc-js'
import {
  RetrieveRequest,
  RetrieveStreamRequest,
  CandidateServiceService,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService } from '@freshet/contracts/ports/calls'
import { internalRules } from '../access/internal-rules.ts'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a candidate service over gRPC, unary and streaming. */
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
    rules: internalRules(definition),
    /** Asks clients to open their next stream elsewhere; pending calls still get answers. */
    drain,
  }
}

/** Adds a candidate service to a server. Call `drain` on the result before a shutdown. */
export function addCandidateService(
  server: Server,
  service: CandidateService,
  options: CallServerOptions,
): { drain(): void } {
  const { definition, implementation, drain } = serveCandidateService(service, options)
  server.addService(definition, implementation)
  return { drain }
}
