/**
 * A limit of a rate: the generic cell rate algorithm (ITU-T I.371), which is a leaky bucket that stores one number. In any
 * window of `t` seconds (to a microsecond) it admits at most `burst + ratePerSecond · t` units.
 */
export interface RateLimit {
  /** Units per second in the long run, above 0. */
  readonly ratePerSecond: number
  /** Units at once after a pause. */
  readonly burst: number
}

/** Whether units are admitted now. */
export type GcraVerdict =
  | {
      /** When the bucket would be empty again, microseconds: what is stored. */
      readonly admitted: true
      readonly emptyAtUs: number
    }
  | {
      readonly admitted: false
      /** After this time the same units are admitted, unless others come first; null: never, because they are more than a burst. */
      readonly retryAfterMs: number | null
    }

/** Microseconds that one unit fills a bucket for. */
export function unitUs({ ratePerSecond }: RateLimit): number {
  return 1_000_000 / ratePerSecond
}

/**
 * Asks to admit `cost` units at `nowUs`. `emptyAtUs`: what was stored last; 0: nothing. Times are microseconds since any fixed
 * moment; what is stored is whole, so a burst may be a microsecond early and never more.
 */
export function gcra(emptyAtUs: number, nowUs: number, cost: number, limit: RateLimit): GcraVerdict {
  if (cost > limit.burst) return { admitted: false, retryAfterMs: null }
  const next = Math.ceil(Math.max(emptyAtUs, nowUs) + cost * unitUs(limit))
  const overUs = next - limit.burst * unitUs(limit) - nowUs
  return overUs < 1 ? { admitted: true, emptyAtUs: next } : { admitted: false, retryAfterMs: Math.ceil(overUs / 1_000) }
}

/** One bucket of a request. */
export interface RateCharge {
  /** Names the bucket. */
  readonly bucket: string
  readonly cost: number
  readonly limit: RateLimit
}

/** The bucket that refuses a request. */
export interface RateRefusal {
  /** Its index among the charges. */
  readonly at: number
  readonly retryAfterMs: number | null
}

/** Buckets that several processes share. */
export interface SharedBuckets {
  /** Charges all buckets of a request, or none if one refuses: the one with the longest wait. null: admitted. Rejects if the buckets cannot be reached. */
  charge(charges: readonly RateCharge[]): Promise<RateRefusal | null>
  /** A secret that all processes of these buckets have, at least 16 bytes. */
  secret(): Promise<Uint8Array>
}
