import { TrailShardClient } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { TrailShard } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { createStreamClient, type StreamClientOptions } from './stream-client.ts'

/** A shard of the trails over the network. */
export interface RemoteTrailShard extends TrailShard {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A shard of the trails behind an address: calls share a long-lived stream; the first call connects. */
export function createTrailShardClient(config: ChannelConfig & StreamClientOptions): RemoteTrailShard {
  const { credentials, options } = channelOf(config)
  const { call, ready, close } = createStreamClient(() => {
    const client = new TrailShardClient(config.address, credentials, options)
    return { client, open: () => client.gatherTrailsStream() }
  }, config)
  return { gatherTrails: call, ready, close }
}
