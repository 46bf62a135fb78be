import { noPseudonyms, type PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodePlainEngagement } from '@freshet/contracts/codecs/plain-engagement'
import { place, plainText, type PlainEngagements } from '@freshet/contracts/bytes/plain-engagements'
import type { IngestProblem } from '@freshet/contracts/json/problems'
import { logTag } from '@freshet/contracts/followed-log'
import type { LogWatch } from '@freshet/contracts/log-watch'
import type { NewRecord, Position } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import type { RateLimits } from '@freshet/service/rate-limits'
import type { SourceTags } from '@freshet/service/source-tags'
import { limitedBy } from './admission.ts'
import type { Append, IngestCall } from './append.ts'
import { clockOffsetFault, clockShiftMs, correctTime } from './event-time.ts'
import type { IngestConfig } from './config.ts'
import type { Suppression } from './suppression.ts'
import { tagsOf, type TagOf } from './tag-of.ts'

/** A request with plain engagements. */
export interface PlainBatch {
  readonly engagements: PlainEngagements
  /** Bytes that the request uses while it waits for the log. */
  readonly bytes: number
  readonly call?: IngestCall
}

/** The result for a request with plain engagements: the log has all of them, or ingest refused all. */
export type PlainAnswer =
  | {
      readonly kind: 'taken'
      /** Of each engagement. */
      readonly positions: readonly Position[]
      /** Short name of the log; '': not known. */
      readonly log: string
      readonly receivedAtMs: number
      readonly notice: string
    }
  | { readonly kind: 'refused'; readonly problem: IngestProblem }

/**
 * Takes plain engagements with the same results as `takeEngagements`, for a fraction of the work. null: an engagement has a
 * problem, so the request must be read in full; nothing was counted.
 */
export type TakePlain = (batch: PlainBatch) => Promise<PlainAnswer | null>

/** Dependencies and settings, as those of ingest. */
interface PlainOptions {
  readonly clock: Clock
  readonly config: IngestConfig
  readonly metrics: Metrics
  readonly foldProblem?: () => string | null
  readonly rates?: RateLimits
  readonly watch?: Pick<LogWatch, 'id'>
  readonly suppression?: Suppression
  readonly pseudonymOf?: PseudonymOf
  readonly sourceTags?: SourceTags
}

/** Creates the function. */
export function createTakePlain(options: PlainOptions, append: Append): TakePlain {
  const { clock, config, metrics, rates, suppression, sourceTags, pseudonymOf = noPseudonyms } = options
  const accepted = metrics.counter('freshet_ingest_events_total').labels({ kind: 'engagement', outcome: 'accepted' })
  const skewSeconds = metrics.histogram('freshet_ingest_clock_skew_seconds')
  const topic = 'engagements.v1'

  const appended = async (
    { engagements, bytes, call }: PlainBatch,
    records: readonly NewRecord[],
    costs: ReadonlyMap<string, number> | null,
    receivedAtMs: number,
  ): Promise<PlainAnswer> => {
    const checked = costs === null ? null : limitedBy(rates, engagements.count, costs, call)
    const limited = checked instanceof Promise ? await checked : checked
    if (limited !== null) return { kind: 'refused', problem: limited }
    const positions = await append({ kind: 'engagement', topic, records, bytes, call, finalValues: true })
    if ('code' in positions) return { kind: 'refused', problem: positions }
    accepted.inc(records.length)
    const log = logTag(options.watch?.id(topic) ?? '')
    return { kind: 'taken', positions, log, receivedAtMs, notice: options.foldProblem?.() ?? '' }
  }

  const take = (batch: PlainBatch, tagOf: TagOf): Promise<PlainAnswer> | null => {
    const { engagements, call } = batch
    const { count, occurredAtMs, sentAtMs, clockOffsetMs: offsetMs } = engagements
    if (count > config.maxBatchEvents || clockOffsetFault(offsetMs) !== null) return null
    const nowMs = clock.now()
    const shiftMs = clockShiftMs({ sentAtMs, offsetMs }, nowMs, config.toleratedSkewMs)
    const time = { nowMs, shiftMs }
    const costs = rates === undefined || call?.source === undefined ? null : new Map<string, number>()
    const records: NewRecord[] = []
    for (let i = 0; i < count; i++) {
      const atMs = correctTime(occurredAtMs[i]!, '', time, config)
      if (typeof atMs !== 'number') return null
      const given = plainText(engagements, i, place.userId)
      const key = pseudonymOf(given)
      const erasedAtMs = suppression?.erasedAtMs(key) ?? null
      if (erasedAtMs !== null && atMs <= erasedAtMs) return null
      costs?.set(given, (costs.get(given) ?? 0) + 1)
      const facts = {
        occurredAtMs: atMs,
        receivedAtMs: nowMs,
        userId: key === given ? null : key,
        sourceTag: tagOf(given),
      }
      records.push({ key, value: encodePlainEngagement(engagements, i, facts), partition: null })
    }
    if (shiftMs !== 0) skewSeconds.observe(Math.abs(shiftMs) / 1000)
    return appended(batch, records, costs, nowMs)
  }

  return async (batch) => {
    const tagOf = tagsOf(sourceTags, batch.call)
    return take(batch, tagOf instanceof Promise ? await tagOf : tagOf)
  }
}
