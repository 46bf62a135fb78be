import { BlenderClient } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender, CallOptions } from '@freshet/contracts/ports/calls'
import { onlyRetries } from '../shared/replicas/only-retries.ts'
import { createReplicatedCall } from '../shared/replicas/replicated-call.ts'
import { createSystemEngineClock } from '../system/engine-clock.ts'
import { addressesOf, channelOf, resendsRefused, type ChannelConfig } from './channel.ts'
import { anyReady, channelReady } from './deadline.ts'
import { unary } from './unary-client.ts'

/** A blender over the network, called by unary gRPC calls. */
export interface RemoteBlender extends Blender {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  close(): void
}

/**
 * A blender behind an address, or several blenders behind a list of addresses. Calls go to them in turn; a call that cannot reach one is
 * sent to another. None is sent again because it is slow: each feed that is made uses up pins.
 */
export function createBlenderClient(config: ChannelConfig): RemoteBlender {
  const blenders = addressesOf({ address: config.address }).map(({ name, address }) => ({
    name,
    blender: connectTo(address, config),
  }))
  const [only, ...others] = blenders
  return others.length === 0 ? only!.blender : spreadOver(blenders)
}

function spreadOver(blenders: readonly { readonly name: string; readonly blender: RemoteBlender }[]): RemoteBlender {
  type Send = (blender: Blender, call: CallOptions) => Promise<unknown>
  const toAny = createReplicatedCall<Send, unknown>(
    blenders.map(({ name, blender }) => ({ name, call: (send, call) => send(blender, call) })),
    onlyRetries,
    createSystemEngineClock(),
  )
  const by =
    <Request, Response>(methodOf: (blender: Blender) => (request: Request, call: CallOptions) => Promise<Response>) =>
    (request: Request, call: CallOptions) =>
      toAny((blender, own) => methodOf(blender)(request, own), call) as Promise<Response>
  return {
    getFeed: by((blender) => blender.getFeed),
    getRelatedPins: by((blender) => blender.getRelatedPins),
    rankPins: by((blender) => blender.rankPins),
    getPins: by((blender) => blender.getPins),
    searchByImage: by((blender) => blender.searchByImage),
    explainFeed: by((blender) => blender.explainFeed),
    getCapabilities: by((blender) => blender.getCapabilities),
    ready: (timeoutMs) =>
      anyReady(
        blenders.map(({ blender }) => blender),
        timeoutMs,
      ),
    close() {
      for (const { blender } of blenders) blender.close()
    },
  }
}

function connectTo(address: string, config: ChannelConfig): RemoteBlender {
  const { credentials, options } = channelOf(config)
  const client = new BlenderClient(address, credentials, { ...options, ...resendsRefused })
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
