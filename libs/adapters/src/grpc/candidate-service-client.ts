import { CandidateServiceClient } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService } from '@freshet/contracts/ports/calls'
import { channelOf, type ChannelConfig } from './channel.ts'
import { createStreamClient, type StreamClientOptions } from './stream-client.ts'

/** A candidate service over the network. */
export interface RemoteCandidateService extends CandidateService {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A candidate service behind an address: calls share a long-lived stream; the first call connects. */
export function createCandidateServiceClient(config: ChannelConfig & StreamClientOptions): RemoteCandidateService {
  const { credentials, options } = channelOf(config)
  const { call, ready, close } = createStreamClient(() => {
    const client = new CandidateServiceClient(config.address, credentials, options)
    return { client, open: () => client.retrieveStream() }
  }, config)
  return { retrieve: call, ready, close }
}
