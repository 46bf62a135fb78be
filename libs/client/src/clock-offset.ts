/** How far this clock is behind the server's, as proven by answers. */
export interface ClockOffset {
  /** Milliseconds; negative: ahead; 0: no offset is proven. */
  ms(): number
  /** Records when a request left and its answer came (both by this clock), and when the server received it by its own; true: it proves another offset. */
  learn(sentAtMs: number, answeredAtMs: number, receivedAtMs: number): boolean
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
    learn(sentAtMs, answeredAtMs, receivedAtMs) {
      const before = ms
      const least = receivedAtMs - answeredAtMs
      const most = receivedAtMs - sentAtMs
      // Unless the clock was set back in between: the exchange proves nothing then.
      if (least <= most) ms = ms < least - slackMs ? least : ms > most + slackMs ? most : ms
      return ms !== before
    },
  }
}
