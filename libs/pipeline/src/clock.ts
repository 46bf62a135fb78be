/** Time inside a run, from outside: it only measures and bounds, it never decides what is in an answer. */
export interface EngineClock {
  /** Milliseconds with fractions that never go back; their zero means nothing. */
  nowMs(): number
  /** Calls back once, `ms` from now; what it returns takes that back. */
  after(ms: number, callback: () => void): () => void
}
