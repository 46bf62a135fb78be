import type { Server } from '@grpc/grpc-js'
import {
  AttributeRequest,
  AttributeResponse,
  RankRequest,
  RankStreamRequest,
  RankerService,
} from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Attribution, Ranker } from '@freshet/contracts/ports/calls'
import { internalRules } from '../access/internal-rules.ts'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a ranker over gRPC, unary and streaming. If it has no contributions of features, the answer says so. */
export function serveRanker(service: Ranker & Partial<Attribution>, options: CallServerOptions) {
  const { unary, stream, drain } = createCallServer('Rank', service.rank, options)
  const attribute = createCallServer('Attribute', service.attribute ?? notAttributed, options).unary
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
    attribute: {
      ...RankerService.attribute,
      requestDeserialize: tolerant('freshet.ranking.v1.AttributeRequest', (bytes) => AttributeRequest.decode(bytes)),
    },
  }
  return {
    definition,
    implementation: { rank: unary, rankStream: stream, attribute },
    rules: internalRules(definition),
    /** Asks clients to open their next stream elsewhere; pending calls still get answers. */
    drain,
  }
}

async function notAttributed(): Promise<AttributeResponse> {
  return AttributeResponse.fromPartial({ problem: 'this ranker does not attribute scores to features' })
}

/** Adds a ranker to a server. Call `drain` on the result before a shutdown. */
export function addRanker(
  server: Server,
  service: Ranker & Partial<Attribution>,
  options: CallServerOptions,
): { drain(): void } {
  const { definition, implementation, drain } = serveRanker(service, options)
  server.addService(definition, implementation)
  return { drain }
}
