import { connectivityState, type Client } from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'

// gRPC takes and gives deadlines as times of the system's clock: here they are made of durations and turned back into them.

/** The deadline that is `timeoutMs` from now, as gRPC takes it. */
export function deadlineIn(timeoutMs: number): number {
  return Date.now() + timeoutMs
}

/** Milliseconds until a call's deadline; null where it has none. */
export function msUntil(deadline: Date | number): number | null {
  const leftMs = Number(deadline) - Date.now()
  return Number.isFinite(leftMs) ? leftMs : null
}

/** Resolves when the channel is connected. Rejects with CALL_UNAVAILABLE when it is not within `timeoutMs`. */
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
