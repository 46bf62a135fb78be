/** When a request left, when its answer came (both by this clock), and when the server says that it got it. */
export interface Exchange {
  readonly sentAtMs: number
  readonly answeredAtMs: number
  readonly receivedAtMs: number
}

/** By how much this clock is behind the server's, as far as answers have proven. */
export interface ClockOffset {
  /** Milliseconds; negative: ahead; 0: nothing is proven. */
  ms(): number
  /** Takes note of an exchange; true: it has proven another offset. */
  learn(exchange: Exchange): boolean
}

/**
 * The server got the request between its leaving and the answer's coming, however slow the network was: that bounds the
 * offset on both sides. The offset stays as it is until an exchange proves it wrong by more than `slackMs`: a slow
 * network explains less than that, so it never moves events of this client against each other.
 */
export function createClockOffset(slackMs: number): ClockOffset {
  let ms = 0
  return {
    ms: () => ms,
    learn({ sentAtMs, answeredAtMs, receivedAtMs }) {
      const least = receivedAtMs - answeredAtMs
      const most = receivedAtMs - sentAtMs
      // The clock was set back in between: it proves nothing.
      if (!(least <= most)) return false
      const before = ms
      if (ms < least - slackMs) ms = Math.round(least)
      else if (ms > most + slackMs) ms = Math.round(most)
      return ms !== before
    },
  }
}
