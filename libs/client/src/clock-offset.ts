/**
 * How far this clock is behind the server's, milliseconds (negative: ahead), after an exchange: when a request left and
 * its answer came (both by this clock), and when the server received it by its own. 0: no offset is proven.
 *
 * The server received the request after it left and before the answer arrived, however slow the network was. That bounds the
 * offset on both sides. It changes only when an exchange proves `knownMs` wrong by more than `slackMs`. A slow
 * network cannot cause that, so the network never shifts events of this client against each other.
 */
export function clockOffsetMs(
  knownMs: number,
  slackMs: number,
  [sentAtMs, answeredAtMs, receivedAtMs]: readonly [number, number, number],
): number {
  const least = receivedAtMs - answeredAtMs
  const most = receivedAtMs - sentAtMs
  // Unless the clock was set back in between: the exchange proves nothing then.
  if (least <= most) {
    if (knownMs < least - slackMs) return least
    if (knownMs > most + slackMs) return most
  }
  return knownMs
}
