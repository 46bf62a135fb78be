/** An answer to no call: the service is about to go, open another stream for new calls. Calls never have this id. */
export const drainingCorrelationId = 0

/** One message towards a service. */
export interface StreamRequest<Request> {
  correlationId: number
  timeoutMs: number
  request: Request | undefined
  headers: Record<string, string>
}

/** One message back. */
export interface StreamResponse<Response> {
  correlationId: number
  code: number
  message: string
  response: Response | undefined
}
