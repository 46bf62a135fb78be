import { createHmac } from 'node:crypto'
import type { Caller } from '@freshet/access/caller'
import { isTrusted } from '@freshet/access/caller'
import type { Clock } from '@freshet/domain/clock'
import type { RateCharge, RateRefusal, SharedBuckets } from '@freshet/domain/gcra'
import { createLocalBuckets } from './local-buckets.ts'
import type { Metrics } from './metrics.ts'
import type { Report } from './reporting.ts'
import { createRateSecret } from './rate-secret.ts'
import type { LimitConfig } from './rate-settings.ts'
import { createSourceAddresses, isLoopback } from './source-address.ts'

/** Where a request comes from. */
export interface CallSource {
  readonly caller: Caller
  /** The other end of the connection. */
  readonly peer: string
  /** The header `x-forwarded-for`; empty: none. */
  readonly forwarded: string
}

/** What a limit counts by. `users`: the users of an address that are too many to count each. */
export type RateKind = 'key' | 'user' | 'users' | 'address'

/** A request that is refused because of a rate. */
export interface RateRefused {
  readonly by: RateKind
  /** After this time the request is admitted, unless others come first; null: never, it is larger than a burst. */
  readonly retryAfterMs: number | null
}

/** Limits of the rates of requests, by key, user and address. */
export interface RateLimits {
  /** Counts `cost` units of a request about these users, or none if a limit refuses it. null: admitted. `costs`: units by user. */
  take(
    source: CallSource,
    cost: number,
    costs?: ReadonlyMap<string, number>,
  ): Promise<RateRefused | null> | RateRefused | null
}

/** Dependencies and settings of the limits. */
export interface RateLimitOptions {
  /** Names the buckets: services with the same name share them. */
  readonly name: string
  readonly config: LimitConfig
  readonly clock: Clock
  /** A random secret of this process. */
  readonly ownSecret: Uint8Array
  /** null: the buckets are in this process only. */
  readonly shared: SharedBuckets | null
  readonly metrics: Metrics
  readonly report: Report
}

/** A process that limits nothing. */
const noRateLimits: RateLimits = { take: () => null }

/**
 * Of the users of a request, those with the most units are counted each: a list of made-up users must not cost memory. The others
 * count together as one user of the address, so that made-up users with more units hide nobody.
 */
const maxUsers = 8
/** A header that does not count is reported once in this time. */
const ignoredQuietMs = 3_600_000
/** After a failure the shared buckets are not asked for this long. */
const pauseMs = 1_000

/**
 * Creates the limits. All replicas share the buckets if `shared` is given. While it cannot be reached, each replica limits on its
 * own, by what it has admitted before: nothing is refused because of the outage, and no rate is without a bound. Servers of our own,
 * admins and services are limited by key alone; a process without keys does not limit callers on the same machine.
 */
export function createRateLimits(options: RateLimitOptions): RateLimits {
  const { config, clock, shared, metrics, report } = options
  const limits = { key: config.key, user: config.user, users: config.user, address: config.address }
  const isOff = Object.values(limits).every(({ ratePerSecond }) => ratePerSecond === 0)
  if (isOff) return noRateLimits
  const refused = metrics.counter('freshet_rate_limited_total')
  const local = createLocalBuckets(config.maxBuckets)
  const addresses = createSourceAddresses(config.trustedProxies)
  const secret = createRateSecret({ ...options, configured: config.secret })
  const nowUs = (): number => clock.now() * 1_000
  let sharedFromMs = -Infinity
  let ignoredMs = -Infinity

  const noteIgnored = (peer: string, forwarded: string): void => {
    if (clock.now() - ignoredMs < ignoredQuietMs || !addresses.ignores(peer, forwarded)) return
    ignoredMs = clock.now()
    report(
      new Error(
        'a peer in a private network sends x-forwarded-for and is not in limits.trustedProxies: if it is a load balancer, ' +
          'all of its clients count as one address; set limits.trustedProxies (FRESHET_LIMITS_TRUSTED_PROXIES) to its addresses',
      ),
      { part: 'rate-limits', outcome: 'left-out' },
    )
  }

  const charge = (charges: readonly Counted[]): Promise<RateRefusal | null> | RateRefusal | null => {
    if (shared === null) return local.charge(charges, nowUs())
    // Nothing can have left the bucket since it was told when, so a flood does not reach the shared buckets.
    const known = local.refusedUntil(charges, nowUs())
    if (known !== null) return known
    return clock.now() < sharedFromMs ? local.charge(charges, nowUs()) : chargeShared(shared, charges)
  }
  const chargeShared = async (shared: SharedBuckets, charges: readonly RateCharge[]): Promise<RateRefusal | null> => {
    try {
      const refusal = await shared.charge(charges)
      if (refusal === null) local.note(charges, nowUs())
      else local.noteRefusal(charges, refusal, nowUs())
      return refusal
    } catch (error) {
      sharedFromMs = clock.now() + pauseMs
      report(error, { part: 'rate-limits', outcome: 'left-out' })
      return local.charge(charges, nowUs())
    }
  }

  const toRefused = (charges: readonly Counted[], refusal: RateRefusal | null): RateRefused | null => {
    if (refusal === null) return null
    const by = (charges[refusal.at] as Counted).kind
    refused.inc({ by })
    return { by, retryAfterMs: refusal.retryAfterMs }
  }
  const charged = (charges: readonly Counted[]): Promise<RateRefused | null> | RateRefused | null => {
    const refusal = charge(charges)
    // Buckets of this process answer at once: a promise for each request would cost more than they do.
    return refusal instanceof Promise ? refusal.then((each) => toRefused(charges, each)) : toRefused(charges, refusal)
  }
  const named = (counted: readonly Counted[]): Promise<readonly Counted[]> | readonly Counted[] => {
    if (shared === null && counted.every(({ bucket }) => bucket.length <= maxPlainSubject)) return counted
    const by = secret()
    const nameBy = (known: Uint8Array): readonly Counted[] =>
      counted.map((each) => ({
        ...each,
        bucket: nameOf(each, { name: options.name, secret: known, isShared: shared !== null }),
      }))
    return by instanceof Promise ? by.then(nameBy) : nameBy(by)
  }

  return {
    take({ caller, peer, forwarded }, cost, costs = new Map()) {
      const counted: Counted[] = []
      const add = (kind: RateKind, bucket: string, units: number): void => {
        const limit = limits[kind]
        if (limit.ratePerSecond > 0 && units > 0) counted.push({ kind, bucket, cost: units, limit })
      }
      const isKey = caller.kind !== 'open' && caller.kind !== 'anonymous' && caller.kind !== 'reader'
      if (isKey) add('key', caller.keyId, cost)
      if (!isTrusted(caller) || caller.kind === 'open') {
        const address = addresses.of(peer, forwarded)
        if (caller.kind === 'open' && isLoopback(address)) return null
        if (forwarded !== '') noteIgnored(peer, forwarded)
        add('address', address, cost)
        add('users', address, addLargest(costs, add))
      }
      if (counted.length === 0) return null
      const charges = named(counted)
      return charges instanceof Promise ? charges.then(charged) : charged(charges)
    },
  }
}

/** A bucket of a request, by what it counts. In this process alone its subject names it. */
interface Counted extends RateCharge {
  readonly kind: RateKind
}

/** Adds the users with the most units, those that came first among equals. Returns the units of the others. */
function addLargest(
  costs: ReadonlyMap<string, number>,
  add: (kind: 'user', user: string, units: number) => void,
): number {
  if (costs.size <= maxUsers) {
    for (const [user, units] of costs) add('user', user, units)
    return 0
  }
  const each: (readonly [string, number])[] = []
  let others = 0
  for (const entry of costs) {
    const units = entry[1]
    if (each.length === maxUsers && units <= each[maxUsers - 1]![1]) {
      others += units
      continue
    }
    let at = each.length
    while (at > 0 && each[at - 1]![1] < units) at--
    if (at === each.length) each.push(entry)
    else each.splice(at, 0, entry)
    if (each.length > maxUsers) others += each.pop()![1]
  }
  for (const [user, units] of each) add('user', user, units)
  return others
}

/** Longer subjects, which are not ids, would take more memory than their hash. */
const maxPlainSubject = 128

/**
 * Names of buckets: in Redis keyed hashes, so that no address or user can be read there. In this process, which has the requests
 * anyway, hashes would be the main cost of a limit.
 */
function nameOf(
  { kind, bucket: subject }: Counted,
  { name, secret, isShared }: { readonly name: string; readonly secret: Uint8Array; readonly isShared: boolean },
): string {
  if (!isShared && subject.length <= maxPlainSubject) return subject
  const hashed = createHmac('sha256', secret).update(`${name}\n${kind}\n${subject}`).digest('base64url').slice(0, 22)
  return isShared ? hashed : `#${hashed}`
}

/** What the message to a caller says. The text continues a sentence that begins with "the request". */
export function rateText({ by, retryAfterMs }: RateRefused): string {
  const whose = {
    key: 'this key',
    user: 'this user',
    users: `this address for more than ${maxUsers} users in a request`,
    address: 'this address',
  }[by]
  if (retryAfterMs === null) return `is larger than ${whose} may send at once; send less at a time`
  return `comes too fast from ${whose}; send it again in ${retryAfterSeconds(retryAfterMs)} s`
}

/** The value of the header `Retry-After`. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000))
}
