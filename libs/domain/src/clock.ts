/** The time, from outside: the system's in production, virtual in replay and tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, with 0 when the event loop has turned; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Chance, from outside: seeded in replay and tests. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}
