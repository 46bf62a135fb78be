import type { Server } from '@grpc/grpc-js'
import { RankRequest, RankStreamRequest, RankerService } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Ranker } from '@freshet/contracts/ports/calls'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a ranker over gRPC, unary and streaming. */
export function serveRanker(service: Ranker, options: CallServerOptions) {
  const { unary, stream, drain } = createCallServer('Rank', service.rank, options)
  const { rank, rankStream } = RankerService
  const definition = {
    rank: {
      ...rank,
      requestDeserialize: tolerant('freshet.ranking.v1.RankRequest', (bytes) => RankRequest.decode(bytes)),
    },
    rankStream: {
      ...rankStream,
      requestDeserialize: tolerant('freshet.ranking.v1.RankStreamRequest', (bytes) => RankStreamRequest.decode(bytes)),
    },
  }
  return {
    definition,
    implementation: { rank: unary, rankStream: stream },
    /** Asks clients to open their next stream elsewhere; pending calls still get answers. */
    drain,
  }
}

/** Adds a ranker to a server. Call `drain` on the result before a shutdown. */
export function addRanker(server: Server, service: Ranker, options: CallServerOptions): { drain(): void } {
  const { definition, implementation, drain } = serveRanker(service, options)
  server.addService(definition, implementation)
  return { drain }
}
