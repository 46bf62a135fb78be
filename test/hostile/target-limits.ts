/** Settings of the target. Small, so that a case can be at a limit or beyond it; the cases name these figures. */
export const targetLimits = {
  http: { maxReceiveMs: 600, maxSendMs: 1_000, maxConnections: 256, maxConnectionsPerAddress: 256 },
  ingest: { maxBodyBytes: 1 << 20, maxInFlightBytes: 16 << 20, maxEventAgeDays: 0 },
  grpc: { maxMessageBytes: 1 << 20 },
  feedBodyBytes: 64 << 10,
} as const
