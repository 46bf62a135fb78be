import { flagSetting, optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of who may call a process. Every process has them. */
export const accessSettings = {
  keysFile: optionalTextSetting(
    'JSON file with the keys of callers, from `freshet keys create`. Read again when it changes. null, and nothing in `access.jwt`: everybody may make every call, on loopback only',
  ),
  open: flagSetting(
    false,
    'Whether a process without keys may listen on other addresses than loopback. Then everybody who reaches it may make every call',
  ),
  internalKeyFile: optionalTextSetting(
    'File with the internal key (`fi_…`) that this process sends to other services. Read again when it changes. null: it sends none',
  ),
  reloadIntervalMs: wholeSetting(2_000, {
    description: 'Time between two checks whether a file of keys has changed. A revoked key works at most this long',
    unit: 'ms',
    min: 50,
    max: 3_600_000,
  }),
  maxSignatures: wholeSetting(3_000_000, {
    description:
      'The process remembers at most this many signatures of server keys, each until it could not be sent again, so that it can refuse replays. The default carries 9,000 signed requests a second. Each takes 11 to 22 bytes. Beyond it the process refuses signed requests with 503',
    unit: 'signatures',
    min: 1,
    max: 100_000_000,
  }),
  maxCachedTokens: wholeSetting(10_000, {
    description: 'The process remembers at most this many read tokens that it has verified, about 300 bytes each',
    unit: 'tokens',
    min: 0,
    max: 10_000_000,
  }),
  jwt: z.object({
    jwksFile: optionalTextSetting('JSON Web Key Set with the public keys of read tokens. Read again when it changes'),
    jwksUrl: optionalTextSetting(
      'URL of a JSON Web Key Set with the public keys of read tokens. Needs `access.jwt.audience`',
    ),
    secretFile: optionalTextSetting(
      'File with the secret of read tokens that are signed by HMAC, at least 32 bytes. Read again when it changes',
    ),
    issuer: optionalTextSetting('Read tokens must have this issuer (`iss`); null: any'),
    audience: optionalTextSetting(
      'Read tokens must have this audience (`aud`); null: any. Required with `access.jwt.jwksUrl`, whose keys may sign the tokens of other applications too',
    ),
    clockToleranceMs: wholeSetting(5_000, {
      description: 'The clock of the issuer of read tokens may differ by this much',
      unit: 'ms',
      min: 0,
      max: 600_000,
    }),
  }),
} as const

/** The type that `accessSettings` parse to. */
export type AccessConfig = z.output<z.ZodObject<typeof accessSettings>>
