/** Asks again until the answer is not null; rejects after the deadline with what is missing. */
export async function eventually<T>(
  what: string,
  ask: () => T | null | Promise<T | null>,
  deadlineMs: number,
  everyMs = 20,
): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** Pauses for this long: the length of a fault or of a load, never a substitute for a condition. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
