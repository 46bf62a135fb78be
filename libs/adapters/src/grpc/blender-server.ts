import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import { BlenderService } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import type { MethodCodecs } from '@freshet/contracts/ports/method'
import { blenderRules } from '../access/blender-rules.ts'
import { tolerant } from './decode.ts'
import { createCallServer, type CallServerOptions } from './stream-server.ts'

/** Serves a blender over gRPC by unary calls. */
export function serveBlender(blender: Blender, options: CallServerOptions) {
  const served = <Request, Response>(
    method: MethodCodecs<Request, Response>,
    definition: MethodDefinition<Request, Response>,
    answer: (request: Request, call: CallOptions) => Promise<Response>,
  ) => ({
    definition: {
      ...definition,
      requestDeserialize: tolerant(`freshet.blending.v1.${method.name}Request`, method.request.decode),
    },
    implementation: createCallServer(method.name, answer, options).unary,
  })
  const calls = {
    getFeed: served(blenderMethods.getFeed, BlenderService.getFeed, blender.getFeed),
    getRelatedPins: served(blenderMethods.getRelatedPins, BlenderService.getRelatedPins, blender.getRelatedPins),
    rankPins: served(blenderMethods.rankPins, BlenderService.rankPins, blender.rankPins),
    getPins: served(blenderMethods.getPins, BlenderService.getPins, blender.getPins),
    searchByImage: served(blenderMethods.searchByImage, BlenderService.searchByImage, blender.searchByImage),
    explainFeed: served(blenderMethods.explainFeed, BlenderService.explainFeed, blender.explainFeed),
    getCapabilities: served(blenderMethods.getCapabilities, BlenderService.getCapabilities, blender.getCapabilities),
  } satisfies Record<keyof Blender, unknown>
  const each = <Part>(part: (call: (typeof calls)[keyof Blender]) => Part): Record<string, Part> =>
    Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, part(call)]))
  return {
    definition: each(({ definition }) => definition) as ServiceDefinition,
    implementation: each(({ implementation }) => implementation) as UntypedServiceImplementation,
    rules: blenderRules,
  }
}
