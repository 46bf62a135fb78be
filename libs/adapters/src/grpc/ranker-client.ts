import { RankerClient } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Attribution, Ranker } from '@freshet/contracts/ports/calls'
import { onlyRetries } from '../shared/replicas/only-retries.ts'
import { createReplicatedCall } from '../shared/replicas/replicated-call.ts'
import { createSystemEngineClock } from '../system/engine-clock.ts'
import { addressesOf, channelOf, resendsRefused } from './channel.ts'
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
  // Explanations are rare: their connections open with the first one.
  const explaining = addressesOf(config).map(({ name, address }) => {
    const client = new RankerClient(address, credentials, { ...channelOptions, ...resendsRefused })
    const attribute: Attribution['attribute'] = (request, options) =>
      unary(client.attribute.bind(client), request, options)
    return { name, client, call: attribute }
  })
  return {
    rank: call,
    attribute: createReplicatedCall(explaining, onlyRetries, createSystemEngineClock()),
    ready,
    close() {
      for (const { client } of explaining) client.close()
      close()
    },
  }
}
