import { RankerClient } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Ranker } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { createStreamClient, type StreamClientOptions } from './stream-client.ts'

/** A ranker over the network. */
export interface RemoteRanker extends Ranker {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A ranker behind an address: calls share a long-lived stream; the first call connects. */
export function createRankerClient(config: ChannelConfig & StreamClientOptions): RemoteRanker {
  const { credentials, options } = channelOf(config)
  const { call, ready, close } = createStreamClient(() => {
    const client = new RankerClient(config.address, credentials, options)
    return { client, open: () => client.rankStream() }
  }, config)
  return { rank: call, ready, close }
}
