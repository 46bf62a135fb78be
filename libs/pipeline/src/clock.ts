/** The clock of a run. It only measures and limits time; it never decides the content of an answer. */
export interface EngineClock {
  /** Monotonic time in milliseconds, with fractions. Its zero has no meaning. */
  nowMs(): number
  /** Calls back once, after `ms` milliseconds. Returns a function that cancels the callback. */
  after(ms: number, callback: () => void): () => void
}
