import type { Clock } from '@freshet/domain/clock'
import type { RedisStateStore } from './state-store.ts'

/** Asks again and again whether Redis may lose keys on its own: somebody can change its policy while it runs. */
export interface EvictionWatch {
  /** Why it may; null: it does not, as last heard. */
  problem(): string | null
  /** Asks once. Throws STORE_UNAVAILABLE, and keeps what was known. */
  look(): Promise<void>
  /** Asks until the signal is aborted. */
  run(signal: AbortSignal, onError: (error: unknown) => void): Promise<void>
}

/** A watch that has not asked yet; it asks at every new connection, too, which may lead to another server. */
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
