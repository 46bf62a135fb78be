import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { createReplicatedCall, type ResilienceOptions } from '../shared/replicas/replicated-call.ts'
import { createSystemEngineClock } from '../system/engine-clock.ts'
import { addressesOf, channelOf, type ChannelConfig } from './channel.ts'
import { anyReady } from './deadline.ts'
import { createStreamClient, type StreamChannel, type StreamClient, type StreamClientOptions } from './stream-client.ts'

/** The connection to a service that may have several replicas. */
export interface ReplicatedConfig extends ChannelConfig, StreamClientOptions {
  /** How calls are spread and repeated; absent: calls share one stream, and are sent once. */
  readonly resilience?: ResilienceOptions
}

/** Streams to each replica of a service. Without `resilience`, one stream to its address. */
export function createReplicatedStreams<Request, Response>(
  config: ReplicatedConfig,
  connect: (
    address: string,
    credentials: ChannelCredentials,
    options: ChannelOptions,
  ) => StreamChannel<Request, Response>,
): StreamClient<Request, Response> {
  const { credentials, options } = channelOf(config)
  const streamsTo = (address: string) => createStreamClient(() => connect(address, credentials, options), config)
  if (config.resilience === undefined) return streamsTo(config.address)
  const replicas = addressesOf(config).map(({ name, address }) => ({ name, client: streamsTo(address) }))
  const call = createReplicatedCall(
    replicas.map(({ name, client }) => ({
      name,
      call: (request: Request, callOptions: CallOptions) => client.call(request, callOptions),
    })),
    config.resilience,
    createSystemEngineClock(),
  )
  return {
    call,
    ready: (timeoutMs) =>
      anyReady(
        replicas.map(({ client }) => client),
        timeoutMs,
      ),
    close() {
      for (const { client } of replicas) client.close()
    },
  }
}
