import { RankerClient } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Attribution, Ranker } from '@freshet/contracts/ports/calls'
import { addressesOf, channelOf } from './channel.ts'
import { createReplicatedStreams, type ReplicatedConfig } from './replicated-streams.ts'
import { unary } from './unary-client.ts'

/** A ranker over the network. */
export interface RemoteRanker extends Ranker, Attribution {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A ranker behind an address: calls share long-lived streams; the first call connects. */
export function createRankerClient(config: ReplicatedConfig): RemoteRanker {
  const { credentials, options: channelOptions } = channelOf(config)
  const { call, ready, close } = createReplicatedStreams(config, (address) => {
    const client = new RankerClient(address, credentials, channelOptions)
    return { client, open: () => client.rankStream() }
  })
  // Explanations are rare: their connection opens with the first one.
  let explaining: RankerClient | null = null
  return {
    rank: call,
    attribute(request, options) {
      explaining ??= new RankerClient(addressesOf(config)[0]!.address, credentials, channelOptions)
      return unary(explaining.attribute.bind(explaining), request, options)
    },
    ready,
    close() {
      explaining?.close()
      close()
    },
  }
}
