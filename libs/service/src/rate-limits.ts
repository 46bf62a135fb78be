import { createHmac } from 'node:crypto'
import type { Caller } from '@freshet/access/caller'
import { isTrusted } from '@freshet/access/caller'
import type { Clock } from '@freshet/domain/clock'
import { gcra, type RateCharge, type RateRefusal, type SharedBuckets } from '@freshet/domain/gcra'
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

  const charge = (charges: readonly RateCharge[]): Promise<RateRefusal | null> | RateRefusal | null => {
    // Nothing can have left the bucket since it was told when, so a flood does not reach the shared buckets.
    const known = local.refusedUntil(charges, nowUs())
    if (known !== null) return known
    if (shared === null || clock.now() < sharedFromMs) return local.charge(charges, nowUs())
    return chargeShared(shared, charges)
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

  const toRefused = (kinds: readonly RateKind[], refusal: RateRefusal | null): RateRefused | null => {
    if (refusal === null) return null
    const by = kinds[refusal.at] as RateKind
    refused.inc({ by })
    return { by, retryAfterMs: refusal.retryAfterMs }
  }
  const charged = (
    name: Name,
    kinds: readonly RateKind[],
    wanted: readonly (readonly [string, number])[],
  ): Promise<RateRefused | null> | RateRefused | null => {
    const charges = wanted.map(([subject, cost], at): RateCharge => {
      const kind = kinds[at] as RateKind
      return { bucket: name(kind, subject), cost, limit: limits[kind] }
    })
    const refusal = charge(charges)
    // Buckets of this process answer at once: a promise for each request would cost more than they do.
    return refusal instanceof Promise ? refusal.then((each) => toRefused(kinds, each)) : toRefused(kinds, refusal)
  }

  return {
    take({ caller, peer, forwarded }, cost, costs = new Map()) {
      const kinds: RateKind[] = []
      const wanted: [string, number][] = []
      const add = (kind: RateKind, subject: string, units: number): void => {
        if (limits[kind].ratePerSecond === 0 || units === 0) return
        kinds.push(kind)
        wanted.push([subject, units])
      }
      const isKey = caller.kind !== 'open' && caller.kind !== 'anonymous' && caller.kind !== 'reader'
      if (isKey) add('key', caller.keyId, cost)
      if (!isTrusted(caller) || caller.kind === 'open') {
        const address = addresses.of(peer, forwarded)
        if (caller.kind === 'open' && isLoopback(address)) return null
        noteIgnored(peer, forwarded)
        add('address', address, cost)
        const { each, others } = largest(costs)
        for (const [user, units] of each) add('user', user, units)
        add('users', address, others)
      }
      if (kinds.length === 0) return null
      const by = secret()
      const chargedBy = (known: Uint8Array) => charged(nameBy(options.name, known, shared !== null), kinds, wanted)
      return by instanceof Promise ? by.then(chargedBy) : chargedBy(by)
    },
  }
}

/** The users with the most units, those that came first among equals, and the units of the others. */
function largest(costs: ReadonlyMap<string, number>) {
  if (costs.size <= maxUsers) return { each: [...costs], others: 0 }
  const each: [string, number][] = []
  let others = 0
  for (const [user, units] of costs) {
    if (each.length === maxUsers && units <= each[maxUsers - 1]![1]) {
      others += units
      continue
    }
    let at = each.length
    while (at > 0 && each[at - 1]![1] < units) at--
    each.splice(at, 0, [user, units])
    if (each.length > maxUsers) others += each.pop()![1]
  }
  return { each, others }
}

type Name = (kind: RateKind, subject: string) => string

/** Longer subjects, which are not ids, would take more memory than their hash. */
const maxPlainSubject = 128

/**
 * Names of buckets: in Redis keyed hashes, so that no address or user can be read there. In this process, which has the requests
 * anyway, hashes would be the main cost of a limit.
 */
function nameBy(name: string, secret: Uint8Array, isShared: boolean): Name {
  const hashed: Name = (kind, subject) =>
    createHmac('sha256', secret).update(`${name}\n${kind}\n${subject}`).digest('base64url').slice(0, 22)
  if (isShared) return hashed
  return (kind, subject) => (subject.length > maxPlainSubject ? `#${hashed(kind, subject)}` : `${kind} ${subject}`)
}

interface LocalBuckets {
  charge(charges: readonly RateCharge[], nowUs: number): RateRefusal | null
  /** Adds units that were admitted elsewhere. */
  note(charges: readonly RateCharge[], nowUs: number): void
  noteRefusal(charges: readonly RateCharge[], refusal: RateRefusal, nowUs: number): void
  /** The refusal of a charge that was told to wait and has not; null: none is. */
  refusedUntil(charges: readonly RateCharge[], nowUs: number): RateRefusal | null
}

/** Buckets in this process, at most `max`; those used longest ago are forgotten first. */
function createLocalBuckets(max: number): LocalBuckets {
  const emptyAt = new Map<string, number>()
  const waits = new Map<string, { readonly cost: number; readonly untilUs: number }>()
  const keep = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
    map.delete(key)
    map.set(key, value)
    if (map.size <= max) return
    const oldest = map.keys().next()
    if (oldest.done !== true) map.delete(oldest.value)
  }
  const refusalOf = (
    charges: readonly RateCharge[],
    retryAfterMs: (charge: RateCharge, at: number) => number | null | undefined,
  ): RateRefusal | null => {
    let worst: RateRefusal | null = null
    for (let at = 0; at < charges.length; at++) {
      const wait = retryAfterMs(charges[at]!, at)
      if (wait === undefined) continue
      if (wait === null) return { at, retryAfterMs: null }
      if (worst === null || wait > (worst.retryAfterMs ?? 0)) worst = { at, retryAfterMs: wait }
    }
    return worst
  }
  return {
    charge(charges, nowUs) {
      const verdicts = charges.map(({ bucket, cost, limit }) => gcra(emptyAt.get(bucket) ?? 0, nowUs, cost, limit))
      const refusal = refusalOf(charges, (_each, at) => {
        const verdict = verdicts[at]!
        return verdict.admitted ? undefined : verdict.retryAfterMs
      })
      if (refusal !== null) return refusal
      for (let at = 0; at < charges.length; at++) {
        const verdict = verdicts[at]!
        if (verdict.admitted) keep(emptyAt, charges[at]!.bucket, verdict.emptyAtUs)
      }
      return null
    },
    note(charges, nowUs) {
      for (const { bucket, cost, limit } of charges) {
        const from = Math.max(emptyAt.get(bucket) ?? 0, nowUs)
        keep(emptyAt, bucket, from + (cost * 1_000_000) / limit.ratePerSecond)
      }
    },
    noteRefusal(charges, { at, retryAfterMs }, nowUs) {
      const each = charges[at]
      if (each !== undefined && retryAfterMs !== null)
        keep(waits, each.bucket, { cost: each.cost, untilUs: nowUs + retryAfterMs * 1_000 })
    },
    refusedUntil(charges, nowUs) {
      if (waits.size === 0) return null
      return refusalOf(charges, ({ bucket, cost }) => {
        const wait = waits.get(bucket)
        if (wait === undefined || cost < wait.cost) return undefined
        const leftUs = wait.untilUs - nowUs
        if (leftUs > 0) return Math.ceil(leftUs / 1_000)
        waits.delete(bucket)
        return undefined
      })
    },
  }
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
