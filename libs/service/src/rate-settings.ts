import { readFileSync } from 'node:fs'
import { numberSetting, optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import type { RateLimit } from '@freshet/domain/gcra'
import { proxyProblem } from './source-address.ts'

/** The default of one limit. */
type Default = readonly [ratePerSecond: number, burst: number]

/** Settings of rate limits, for `limits: z.object(limitSettings('events', { … }))`. `unit`: what is counted. */
export function limitSettings(
  unit: string,
  { key, user, address }: { readonly key: Default; readonly user: Default; readonly address: Default },
) {
  const rate = (whom: string, value: number) =>
    numberSetting(value, {
      description: `Number of ${unit} that ${whom} may send in the long run; 0: any number`,
      unit: `${unit}/s`,
      min: 0,
      max: 1_000_000_000,
    })
  const burst = (whom: string, value: number) =>
    wholeSetting(value, {
      description: `Number of ${unit} that ${whom} may send at once after a pause. A larger request is refused`,
      unit,
      min: 1,
      max: 1_000_000_000,
    })
  return {
    keyRate: rate('a key', key[0]),
    keyBurst: burst('a key', key[1]),
    userRate: rate('a user', user[0]),
    userBurst: burst('a user', user[1]),
    addressRate: rate('an address (of IPv6, a /64)', address[0]),
    addressBurst: burst('an address', address[1]),
    trustedProxies: z
      .array(
        z.string().superRefine((range, context) => {
          const problem = proxyProblem(range)
          if (problem !== null) context.addIssue({ code: 'custom', message: problem })
        }),
      )
      .default([])
      .meta({
        description:
          'Addresses and ranges of the proxies in front, such as `10.0.0.0/8`. Only their `X-Forwarded-For` counts. Without it, all clients of a load balancer count as one address',
      }),
    maxBuckets: wholeSetting(100_000, {
      description: 'The process keeps at most this many counts of keys, users and addresses, about 100 bytes each',
      unit: 'counts',
      min: 1_000,
      max: 10_000_000,
    }),
    secretFile: optionalTextSetting(
      'File with a secret of at least 16 characters, from which the names of counts are made, so that nobody reads addresses in Redis; null: a random one, which replicas share through Redis',
    ),
  } as const
}

type LimitSettings = z.output<z.ZodObject<ReturnType<typeof limitSettings>>>

/** Limits as `createRateLimits` takes them. */
export interface LimitConfig {
  readonly key: RateLimit
  readonly user: RateLimit
  readonly address: RateLimit
  readonly trustedProxies: readonly string[]
  readonly maxBuckets: number
  /** null: a random one. */
  readonly secret: Uint8Array | null
}

/** Turns settings into limits. Throws if the file of the secret cannot be read or is too short. */
export function limitConfigOf(settings: LimitSettings): LimitConfig {
  const { keyRate, keyBurst, userRate, userBurst, addressRate, addressBurst, trustedProxies, maxBuckets } = settings
  return {
    key: { ratePerSecond: keyRate, burst: keyBurst },
    user: { ratePerSecond: userRate, burst: userBurst },
    address: { ratePerSecond: addressRate, burst: addressBurst },
    trustedProxies,
    maxBuckets,
    secret: settings.secretFile === null ? null : readSecret(settings.secretFile),
  }
}

function readSecret(file: string): Uint8Array {
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length < 16) throw new Error(`limits.secretFile ${file} has ${secret.length} characters; give at least 16`)
  return Buffer.from(secret)
}
