import {
  BlenderService,
  GetFeedRequest,
  GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender } from '@freshet/contracts/ports/calls'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a blender over gRPC by unary calls. */
export function serveBlender(blender: Blender, options: CallServerOptions) {
  const { getFeed, getRelatedPins } = BlenderService
  return {
    definition: {
      getFeed: {
        ...getFeed,
        requestDeserialize: tolerant('freshet.blending.v1.GetFeedRequest', (bytes) => GetFeedRequest.decode(bytes)),
      },
      getRelatedPins: {
        ...getRelatedPins,
        requestDeserialize: tolerant('freshet.blending.v1.GetRelatedPinsRequest', (bytes) =>
          GetRelatedPinsRequest.decode(bytes),
        ),
      },
    },
    implementation: {
      getFeed: createCallServer('GetFeed', blender.getFeed, options).unary,
      getRelatedPins: createCallServer('GetRelatedPins', blender.getRelatedPins, options).unary,
    },
  }
}
