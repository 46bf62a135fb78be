import { BlenderClient } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { channelReady } from './deadline.ts'
import { unary } from './unary-client.ts'

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
    rankPins: (request, call) => unary(client.rankPins.bind(client), request, call),
    getPins: (request, call) => unary(client.getPins.bind(client), request, call),
    searchByImage: (request, call) => unary(client.searchByImage.bind(client), request, call),
    explainFeed: (request, call) => unary(client.explainFeed.bind(client), request, call),
    getCapabilities: (request, call) => unary(client.getCapabilities.bind(client), request, call),
    ready: (timeoutMs) => channelReady(client, timeoutMs),
    close: () => {
      client.close()
    },
  }
}
