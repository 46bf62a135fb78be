import { gcra, type RateCharge, type RateRefusal } from '@freshet/domain/gcra'

/** A charge of a bucket. Buckets of two kinds are two, even under the same name. */
interface LocalCharge extends RateCharge {
  readonly kind?: string
}

/** Buckets of limits in this process. */
interface LocalBuckets {
  /** Charges all buckets of a request, or none if one refuses: the one with the longest wait. null: admitted. */
  charge(charges: readonly LocalCharge[], nowUs: number): RateRefusal | null
  /** Adds units that were admitted elsewhere. */
  note(charges: readonly LocalCharge[], nowUs: number): void
  noteRefusal(charges: readonly LocalCharge[], refusal: RateRefusal, nowUs: number): void
  /** The refusal of a charge that was told to wait and has not; null: none is. */
  refusedUntil(charges: readonly LocalCharge[], nowUs: number): RateRefusal | null
}

interface Bucket {
  emptyAtUs: number
}

type Buckets = Map<string, Map<string, Bucket>>

/**
 * Creates at most `max` buckets. They are in two halves: a bucket that is used moves to the newer one, and when that is full, the
 * older one goes. So a bucket is forgotten only after `max / 2` others were used later than it. To keep them in the exact order of
 * their use would cost more than the limits do.
 */
export function createLocalBuckets(max: number): LocalBuckets {
  const half = Math.max(1, Math.floor(max / 2))
  let newer: Buckets = new Map()
  let older: Buckets = new Map()
  let newerSize = 0
  const waits = new Map<string, { readonly cost: number; readonly untilUs: number }>()

  const find = ({ kind = '', bucket }: LocalCharge): Bucket | undefined =>
    newer.get(kind)?.get(bucket) ?? older.get(kind)?.get(bucket)
  /** Keeps a bucket among those that were used last. */
  const use = ({ kind = '', bucket }: LocalCharge, emptyAtUs: number): void => {
    const known = newer.get(kind)?.get(bucket)
    if (known !== undefined) {
      known.emptyAtUs = emptyAtUs
      return
    }
    if (newerSize >= half) {
      older = newer
      newer = new Map()
      newerSize = 0
    }
    let ofKind = newer.get(kind)
    if (ofKind === undefined) newer.set(kind, (ofKind = new Map<string, Bucket>()))
    ofKind.set(bucket, { emptyAtUs })
    newerSize++
  }
  /** Of the charges under way: when their buckets would be empty. Charging is synchronous. */
  const nextUs: number[] = []

  return {
    charge(charges, nowUs) {
      let worst: RateRefusal | null = null
      nextUs.length = 0
      for (let at = 0; at < charges.length; at++) {
        const charge = charges[at]!
        const verdict = gcra(find(charge)?.emptyAtUs ?? 0, nowUs, charge.cost, charge.limit)
        if (verdict.admitted) nextUs.push(verdict.emptyAtUs)
        else {
          nextUs.push(0)
          worst = worse(worst, at, verdict.retryAfterMs)
        }
      }
      if (worst !== null) return worst
      for (let at = 0; at < charges.length; at++) use(charges[at]!, nextUs[at]!)
      return null
    },
    note(charges, nowUs) {
      for (const charge of charges) {
        const from = Math.max(find(charge)?.emptyAtUs ?? 0, nowUs)
        use(charge, from + (charge.cost * 1_000_000) / charge.limit.ratePerSecond)
      }
    },
    noteRefusal(charges, { at, retryAfterMs }, nowUs) {
      const each = charges[at]
      if (each === undefined || retryAfterMs === null) return
      waits.delete(each.bucket)
      waits.set(each.bucket, { cost: each.cost, untilUs: nowUs + retryAfterMs * 1_000 })
      if (waits.size <= max) return
      const oldest = waits.keys().next()
      if (oldest.done !== true) waits.delete(oldest.value)
    },
    refusedUntil(charges, nowUs) {
      if (waits.size === 0) return null
      let worst: RateRefusal | null = null
      for (let at = 0; at < charges.length; at++) {
        const { bucket, cost } = charges[at]!
        const wait = waits.get(bucket)
        if (wait === undefined || cost < wait.cost) continue
        const leftUs = wait.untilUs - nowUs
        if (leftUs > 0) worst = worse(worst, at, Math.ceil(leftUs / 1_000))
        else waits.delete(bucket)
      }
      return worst
    },
  }
}

/** The refusal with the longer wait; `retryAfterMs` null: for ever. */
function worse(worst: RateRefusal | null, at: number, retryAfterMs: number | null): RateRefusal {
  if (worst === null) return { at, retryAfterMs }
  if (worst.retryAfterMs === null) return worst
  return retryAfterMs === null || retryAfterMs > worst.retryAfterMs ? { at, retryAfterMs } : worst
}
