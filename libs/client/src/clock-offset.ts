/** When a request left and when its answer came (both by this clock), and when the server received it by its own clock. */
export interface Exchange {
  readonly sentAtMs: number
  readonly answeredAtMs: number
  readonly receivedAtMs: number
}

/** How far this clock is behind the server's, as proven by answers. */
export interface ClockOffset {
  /** Milliseconds; negative: ahead; 0: no offset is proven. */
  ms(): number
  /** Records an exchange; returns true if it proves another offset. */
  learn(exchange: Exchange): boolean
}

/**
 * The server received the request after it left and before the answer arrived, however slow the network was. That bounds the
 * offset on both sides. The offset changes only when an exchange proves it wrong by more than `slackMs`. A slow
 * network cannot cause that, so the network never shifts events of this client against each other.
 */
export function createClockOffset(slackMs: number): ClockOffset {
  let ms = 0
  return {
    ms: () => ms,
    learn({ sentAtMs, answeredAtMs, receivedAtMs }) {
      const least = receivedAtMs - answeredAtMs
      const most = receivedAtMs - sentAtMs
      // The clock was set back in between: the exchange proves nothing.
      if (!(least <= most)) return false
      const before = ms
      if (ms < least - slackMs) ms = Math.round(least)
      else if (ms > most + slackMs) ms = Math.round(most)
      return ms !== before
    },
  }
}
