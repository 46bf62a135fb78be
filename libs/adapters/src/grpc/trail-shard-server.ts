import {
  GatherTrailsRequest,
  GatherTrailsStreamRequest,
  TrailShardService,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { TrailShard } from '@freshet/contracts/ports/calls'
import { internalRules } from '../access/internal-rules.ts'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a shard of the trails over gRPC, unary and streaming. */
export function serveTrailShard(service: TrailShard, options: CallServerOptions) {
  const { unary, stream, drain } = createCallServer('GatherTrails', service.gatherTrails, options)
  const { gatherTrails, gatherTrailsStream } = TrailShardService
  const definition = {
    gatherTrails: {
      ...gatherTrails,
      requestDeserialize: tolerant('freshet.retrieval.v1.GatherTrailsRequest', (bytes) =>
        GatherTrailsRequest.decode(bytes),
      ),
    },
    gatherTrailsStream: {
      ...gatherTrailsStream,
      requestDeserialize: tolerant('freshet.retrieval.v1.GatherTrailsStreamRequest', (bytes) =>
        GatherTrailsStreamRequest.decode(bytes),
      ),
    },
  }
  return {
    definition,
    implementation: { gatherTrails: unary, gatherTrailsStream: stream },
    rules: internalRules(definition),
    /** Asks clients to open their next stream elsewhere; pending calls still get answers. */
    drain,
  }
}
