import type { Clock } from '@freshet/domain/clock'
import type { RedisStateStore } from './state-store.ts'

/** Checks repeatedly whether Redis may evict keys, because its policy can change while it runs. */
export interface EvictionWatch {
  /** Why Redis may evict keys; null: by the last check it does not. */
  problem(): string | null
  /** Checks once. Throws STORE_UNAVAILABLE; the last result then stays. */
  look(): Promise<void>
  /** Checks until the signal is aborted. */
  run(signal: AbortSignal, onError: (error: unknown) => void): Promise<void>
}

/** Creates a watch that has not checked yet. It also checks after every new connection, which may lead to another server. */
export function watchEviction(
  store: Pick<RedisStateStore, 'evictionProblem' | 'onConnected'>,
  { clock, everyMs = 15_000 }: { readonly clock: Clock; readonly everyMs?: number },
): EvictionWatch {
  let problem: string | null = null
  const look = async (): Promise<void> => {
    problem = await store.evictionProblem()
  }
  return {
    problem: () => problem,
    look,
    async run(signal, onError) {
      store.onConnected(() => {
        if (!signal.aborted) void look().catch(onError)
      })
      while (!signal.aborted) {
        await clock.sleep(everyMs, signal).catch(() => undefined)
        if (!signal.aborted) await look().catch(onError)
      }
    },
  }
}
