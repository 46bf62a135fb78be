import type { Clock } from '@freshet/domain/clock'
import type { SharedBuckets } from '@freshet/domain/gcra'

/** The secret from which keyed hashes of addresses and users are made, so that nobody reads them where the hashes are kept. */
export type RateSecret = () => Uint8Array | Promise<Uint8Array>

/** After a failure the shared secret is not asked for this long. */
const pauseMs = 1_000

/**
 * The configured secret, else the one that replicas share, else that of this process. While the shared one cannot be read, the
 * process uses its own.
 */
export function createRateSecret({
  configured,
  shared,
  ownSecret,
  clock,
}: {
  /** null: none. */
  readonly configured: Uint8Array | null
  /** null: replicas share nothing. */
  readonly shared: Pick<SharedBuckets, 'secret'> | null
  /** A random secret of this process. */
  readonly ownSecret: Uint8Array
  readonly clock: Pick<Clock, 'now'>
}): RateSecret {
  const own = configured ?? ownSecret
  if (configured !== null || shared === null) return () => own
  let known: Uint8Array | null = null
  let askAgainMs = -Infinity
  const ask = async (): Promise<Uint8Array> => {
    try {
      return (known = await shared.secret())
    } catch {
      // Reported by the charge that fails next.
      askAgainMs = clock.now() + pauseMs
      return own
    }
  }
  return () => known ?? (clock.now() < askAgainMs ? own : ask())
}
