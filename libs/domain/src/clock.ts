/** A source of time: the system's clock in production, a virtual clock in replay and tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`; with 0, after one turn of the event loop. Rejects with the signal's reason when the signal is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A source of random numbers: seeded in replay and tests. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}
