import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js'

/** A service's address and the options of the connection to it. */
export interface ChannelConfig {
  /** `host:port`, or any gRPC target; with `roundRobin` a name with several addresses: `dns:///candidates:7001`. */
  readonly address: string
  /** Spread new streams and calls over all addresses of the name in turn. */
  readonly roundRobin?: boolean
  /** Absent: no TLS. */
  readonly credentials?: ChannelCredentials
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
      'grpc.max_reconnect_backoff_ms': config.maxReconnectBackoffMs ?? 1_000,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 3_000,
      'grpc.enable_retries': 0,
      // Channels with the same address must not share connections, because each owner closes its own.
      'grpc.use_local_subchannel_pool': 1,
      ...(config.roundRobin === true && {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        'grpc.dns_min_time_between_resolutions_ms': 5_000,
      }),
    },
  }
}
