/** Bounds extra calls to a share of the calls, so that a slow service does not get twice the load. */
export interface RetryBudget {
  /** A call was made: adds its share. */
  earn(): void
  /** Takes one extra call; false: the budget is used up. */
  spend(): boolean
}

/** A bucket of tokens: each call adds `share`, an extra call takes 1. It starts full, with `burst` tokens, and never holds more. */
export function createRetryBudget({ share, burst }: { readonly share: number; readonly burst: number }): RetryBudget {
  let tokens = burst
  return {
    earn() {
      tokens = Math.min(burst, tokens + share)
    },
    spend() {
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
