/** Options of every call to a port. An aborted signal rejects the call immediately with the signal's reason; a request already sent may still take effect. */
export interface PortCall {
  readonly signal?: AbortSignal | undefined
}
