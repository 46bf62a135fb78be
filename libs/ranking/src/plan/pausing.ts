/** Work in slices: it pauses between them, so that other work gets its turn, and returns its result. */
export type Pausing<Result> = Generator<undefined, Result, undefined>

/** Does all the work at once. */
export function finished<Result>(work: Pausing<Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Does the work slice by slice; waits for `pause` between them. */
export async function inSlices<Result>(
  work: Pausing<Result>,
  pause: (() => Promise<void>) | undefined,
): Promise<Result> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await pause?.()
  }
}
