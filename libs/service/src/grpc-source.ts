import { Metadata } from '@grpc/grpc-js'
import { callerOf } from './grpc-access.ts'
import { retryAfterSeconds, type CallSource } from './rate-limits.ts'

/** Where a call of gRPC comes from. */
export function grpcSource(call: { readonly metadata: Metadata; getPeer(): string }): CallSource {
  return {
    caller: callerOf(call),
    peer: call.getPeer(),
    forwarded: call.metadata.get('x-forwarded-for').join(','),
  }
}

/** What a refused call gets beside RESOURCE_EXHAUSTED: `retry-after` in seconds, and the pause in which gRPC clients do not retry by themselves. */
export function retryMetadata(retryAfterMs: number): Metadata {
  const metadata = new Metadata()
  metadata.set('retry-after', String(retryAfterSeconds(retryAfterMs)))
  metadata.set('grpc-retry-pushback-ms', String(retryAfterMs))
  return metadata
}
