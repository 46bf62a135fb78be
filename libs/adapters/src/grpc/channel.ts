import {
  credentials,
  InterceptingCall,
  type Interceptor,
  type ChannelCredentials,
  type ChannelOptions,
} from '@grpc/grpc-js'

/** A service's address and the options of the connection to it. */
export interface ChannelConfig {
  /** `host:port`, several of them with commas between, or any gRPC target; with `roundRobin` a name with several addresses: `dns:///candidates:7001`. */
  readonly address: string
  /** Spread new streams and calls over all addresses of the name in turn. */
  readonly roundRobin?: boolean
  /** Absent: no TLS. */
  readonly credentials?: ChannelCredentials
  /** Returns the key that the calls send as `freshet-key`; null: none. Absent: they send none. */
  readonly key?: () => string | null
  /** Longest pause between attempts to reconnect, milliseconds; default 1,000. */
  readonly maxReconnectBackoffMs?: number
}

/** Largest accepted message, bytes. */
const maxMessageBytes = 8 << 20

/** Credentials and options of a channel: a flow-control window large enough for a page of features, pings that detect a dead peer, fast reconnects. */
export function channelOf(config: ChannelConfig): {
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
} {
  return {
    credentials: config.credentials ?? credentials.createInsecure(),
    options: {
      'grpc-node.flow_control_window': 1 << 20,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': config.maxReconnectBackoffMs ?? 250,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 3_000,
      'grpc.enable_retries': 0,
      // Channels with the same address must not share connections, because each owner closes its own.
      'grpc.use_local_subchannel_pool': 1,
      ...(config.key !== undefined && { interceptors: [sendingKey(config.key)] }),
      ...(config.roundRobin === true && {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        'grpc.dns_min_time_between_resolutions_ms': 5_000,
      }),
    },
  }
}

/** Adds a key to the metadata of every call. It is read at each call, because it may change. */
function sendingKey(key: () => string | null): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const text = key()
        if (text !== null) metadata.set('freshet-key', text)
        next(metadata, listener)
      },
    })
}

/**
 * Options of channels for unary calls: a call that the server refused before it began is sent again. A server refuses calls on a connection that
 * it has just told the client to leave, which it does every `maxConnectionAgeMs`.
 */
export const resendsRefused: ChannelOptions = { 'grpc.enable_retries': 1 }

/**
 * The replicas behind an address: one for each `host:port` of a list. A name with several addresses gives two, each with a connection of
 * its own that spreads its streams over all addresses, so that a call that is sent again mostly reaches another replica.
 */
export function addressesOf({
  address,
  roundRobin,
}: Pick<ChannelConfig, 'address' | 'roundRobin'>): readonly { readonly name: string; readonly address: string }[] {
  if (!address.includes(':///')) return address.split(',').map((each) => ({ name: each.trim(), address: each.trim() }))
  if (roundRobin !== true) return [{ name: address, address }]
  return [1, 2].map((number) => ({ name: `${address} ${number}`, address }))
}
