/** The id of the message that announces a shutdown: the client opens another stream for new calls. No call has this id. */
export const drainingCorrelationId = 0

/** One message from a client to a service. */
export interface StreamRequest<Request> {
  correlationId: number
  timeoutMs: number
  request: Request | undefined
  headers: Record<string, string>
}

/** One message from a service to a client. */
export interface StreamResponse<Response> {
  correlationId: number
  code: number
  message: string
  response: Response | undefined
}
