/** Monotonic time and timers, as engines of pipelines take them. */
export function createSystemEngineClock() {
  return {
    nowMs: () => performance.now(),
    after(ms: number, callback: () => void): () => void {
      const timer = setTimeout(callback, ms)
      return () => {
        clearTimeout(timer)
      }
    },
  }
}
