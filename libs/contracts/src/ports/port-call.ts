/** How a call to a port may end earlier. An aborted signal rejects the call at once with the signal's reason; what was sent by then may still take effect. */
export interface PortCall {
  readonly signal?: AbortSignal | undefined
}
