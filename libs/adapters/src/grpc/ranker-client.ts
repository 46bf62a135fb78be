import { RankerClient } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Attribution, Ranker } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { createStreamClient, type StreamClientOptions } from './stream-client.ts'
import { unary } from './unary-client.ts'

/** A ranker over the network. */
export interface RemoteRanker extends Ranker, Attribution {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A ranker behind an address: calls share a long-lived stream; the first call connects. */
export function createRankerClient(config: ChannelConfig & StreamClientOptions): RemoteRanker {
  const { credentials, options: channelOptions } = channelOf(config)
  const { call, ready, close } = createStreamClient(() => {
    const client = new RankerClient(config.address, credentials, channelOptions)
    return { client, open: () => client.rankStream() }
  }, config)
  // Explanations are rare: their connection opens with the first one.
  let explaining: RankerClient | null = null
  return {
    rank: call,
    attribute(request, options) {
      explaining ??= new RankerClient(config.address, credentials, channelOptions)
      return unary(explaining.attribute.bind(explaining), request, options)
    },
    ready,
    close() {
      explaining?.close()
      close()
    },
  }
}
