import { CandidateServiceClient } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService } from '@freshet/contracts/ports/calls'
import { createReplicatedStreams, type ReplicatedConfig } from './replicated-streams.ts'

/** A candidate service over the network. */
export interface RemoteCandidateService extends CandidateService {
  /** Resolves when the service can be reached; rejects with CALL_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>
  /** Closes the client; pending calls reject with CALL_UNAVAILABLE. */
  close(): void
}

/** A candidate service behind an address: calls share long-lived streams; the first call connects. */
export function createCandidateServiceClient(config: ReplicatedConfig): RemoteCandidateService {
  const { call, ready, close } = createReplicatedStreams(config, (address, credentials, options) => {
    const client = new CandidateServiceClient(address, credentials, options)
    return { client, open: () => client.retrieveStream() }
  })
  return { retrieve: call, ready, close }
}
