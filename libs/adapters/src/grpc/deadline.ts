import { connectivityState, type Client } from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'

// gRPC expresses deadlines as times of the system's clock. These functions convert between deadlines and durations.

/** The gRPC deadline `timeoutMs` from now. */
export function deadlineIn(timeoutMs: number): number {
  return Date.now() + timeoutMs
}

/** Milliseconds until a call's deadline; null: it has none. */
export function msUntil(deadline: Date | number): number | null {
  const leftMs = Number(deadline) - Date.now()
  return Number.isFinite(leftMs) ? leftMs : null
}

/** Resolves when the channel is connected. Rejects with CALL_UNAVAILABLE after `timeoutMs`. */
export function channelReady(client: Client, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(deadlineIn(timeoutMs), (error) => {
      if (error === undefined) {
        resolve()
        return
      }
      const channel = client.getChannel()
      const state = connectivityState[channel.getConnectivityState(false)]
      reject(new ContractError('CALL_UNAVAILABLE', `${channel.getTarget()} is ${state}`, { cause: error }))
    })
  })
}

/** Resolves when one of several clients is ready; rejects with the error of the first one if none is. */
export function anyReady(
  clients: readonly { ready(timeoutMs: number): Promise<void> }[],
  timeoutMs: number,
): Promise<void> {
  return Promise.any(clients.map((client) => client.ready(timeoutMs))).catch((error: unknown) => {
    throw error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error)
  })
}
