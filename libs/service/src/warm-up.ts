import { setTimeout as sleep } from 'node:timers/promises'

/** What a service does before it listens. */
export interface WarmUpOptions {
  /** Why the service cannot answer yet; null: it can. */
  readonly unready: () => string | null
  /** Lets the service answer a request of its own. What it rejects with is ignored: callers get their own errors. */
  readonly ask: () => Promise<unknown>
  /** Longest wait until the service is ready, milliseconds; default: no limit. */
  readonly maxWaitMs?: number
  /** Longest time for the requests of its own, milliseconds; default 3,000. */
  readonly maxAskMs?: number
}

/** So many requests bring the cost of a feed down to what it costs later: the first one costs ten times as much. */
const requests = 50
const lookEveryMs = 20

/**
 * Waits until a service is ready, then lets it answer requests of its own. A service calls this before it listens, because clients that
 * call a list of addresses see no health: they call whatever listens. As long as it does not listen, they call another replica.
 */
export async function warmUp({ unready, ask, maxWaitMs = Infinity, maxAskMs = 3_000 }: WarmUpOptions): Promise<void> {
  const waitsUntilMs = performance.now() + maxWaitMs
  while (unready() !== null) {
    if (performance.now() >= waitsUntilMs) return
    await sleep(lookEveryMs)
  }
  const asksUntilMs = performance.now() + maxAskMs
  for (let asked = 0; asked < requests && performance.now() < asksUntilMs; asked++) {
    await ask().catch(() => undefined)
  }
}
