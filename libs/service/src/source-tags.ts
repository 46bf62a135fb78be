import { createHmac } from 'node:crypto'
import { isTrusted } from '@freshet/access/caller'
import type { Clock } from '@freshet/domain/clock'
import { maxSourceTag } from '@freshet/domain/engagement'
import type { CallSource } from './rate-limits.ts'
import type { RateSecret } from './rate-secret.ts'
import { createSourceAddresses } from './source-address.ts'

/** Tags of the addresses that events come from, see `Engagement.sourceTag`. */
export interface SourceTags {
  /**
   * The tag of the address of a request, for the events of users whom its read token does not name. null: there is none, because the
   * caller is trusted, or the address is in a private network and may be that of a load balancer.
   */
  of(source: CallSource): number | null | Promise<number | null>
}

const dayMs = 86_400_000
/** The tags of addresses that this process keeps, so that a request does not cost a hash. */
const maxKnown = 10_000

/**
 * Creates the tags: 24 bits of HMAC-SHA256 over the day and the address, so that even who has the secret finds 256 addresses of IPv4
 * for a tag. All keys have the same tag for an address, because a page's write key is public. `trustedProxies`: see `createSourceAddresses`.
 */
export function createSourceTags({
  secret,
  trustedProxies,
  clock,
}: {
  readonly secret: RateSecret
  readonly trustedProxies: readonly string[]
  readonly clock: Pick<Clock, 'now'>
}): SourceTags {
  const addresses = createSourceAddresses(trustedProxies)
  let known = new Map<string, number>()
  let knownOf: { readonly day: number; readonly secret: Uint8Array } | null = null

  function tagOf(network: string, by: Uint8Array): number {
    const day = Math.floor(clock.now() / dayMs)
    if (knownOf?.day !== day || knownOf.secret !== by || known.size >= maxKnown) {
      known = new Map()
      knownOf = { day, secret: by }
    }
    let tag = known.get(network)
    if (tag === undefined) {
      const hash = createHmac('sha256', by).update(`source\n${day}\n${network}`).digest()
      tag = hash.readUInt32BE(0) & maxSourceTag || 1
      known.set(network, tag)
    }
    return tag
  }

  return {
    of({ caller, peer, forwarded }) {
      if (isTrusted(caller)) return null
      const network = addresses.publicNetworkOf(peer, forwarded)
      if (network === null) return null
      const by = secret()
      return by instanceof Uint8Array ? tagOf(network, by) : by.then((value) => tagOf(network, value))
    },
  }
}
