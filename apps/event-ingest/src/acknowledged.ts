import type { EventLog, Position } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { Metrics } from '@freshet/service/metrics'
import type { Component } from '@freshet/service/service'

/**
 * Remembers how far the log acknowledged records to this process, and counts those that the log then no longer has. The
 * loss is seen if the log still ends before their positions at two looks in a row. A log that has grown past them in the
 * meantime hides it: no reader can tell that the records there are other ones.
 */
export interface Acknowledged {
  /** Notes acknowledged positions of a topic. */
  note(topic: string, positions: readonly Position[]): void
  /** Compares with the ends of the log once. */
  look(): Promise<void>
  /** Looks every ten seconds until the returned component drains. */
  watch(onError: (error: unknown) => void): Component
}

const everyMs = 10_000

/** By partition: the position after the last acknowledged record, and how many records the log lacked at the look before. */
interface Marks {
  readonly next: number[]
  missing: readonly number[]
}

/** Creates the memory of a process that appends to `log`. */
export function createAcknowledged({
  log,
  clock,
  metrics,
}: {
  readonly log: Pick<EventLog, 'ends'>
  readonly clock: Clock
  readonly metrics: Metrics
}): Acknowledged {
  const lost = metrics.counter('freshet_ingest_log_lost_records_total')
  // A counter that appears with its first loss has no increase: rules need the 0 before it.
  lost.inc({ topic: 'engagements.v1' }, 0)
  const marks = new Map<string, Marks>()
  const ending = new AbortController()

  const look = async (): Promise<void> => {
    for (const [topic, { next, missing: before }] of marks) {
      // Records that are acknowledged after the question may be beyond its answer.
      const asked = [...next]
      const ends = await log.ends(topic, ending)
      const missing = asked.map((position, partition) => Math.max(0, position - (ends[partition] ?? 0)))
      const confirmed = missing.map((count, partition) => Math.min(count, before[partition] ?? 0))
      const sum = confirmed.reduce((all, count) => all + count, 0)
      if (sum > 0) lost.inc({ topic }, sum)
      confirmed.forEach((count, partition) => {
        if (count > 0 && next[partition] === asked[partition]) next[partition] = ends[partition] ?? 0
      })
      marks.get(topic)!.missing = missing.map((count, partition) => (confirmed[partition]! > 0 ? 0 : count))
    }
  }

  return {
    note(topic, positions) {
      const known = marks.get(topic) ?? { next: [], missing: [] }
      if (!marks.has(topic)) marks.set(topic, known)
      const { next } = known
      for (const { partition, position } of positions) {
        while (next.length <= partition) next.push(0)
        if (position >= next[partition]!) next[partition] = position + 1
      }
    },
    look,
    watch(onError) {
      void (async () => {
        while (!ending.signal.aborted) {
          await clock.sleep(everyMs, ending.signal).catch(() => undefined)
          if (ending.signal.aborted) return
          await look().catch((error: unknown) => {
            // A stop ends a look that is under way.
            if (!ending.signal.aborted) onError(error)
          })
        }
      })()
      return { name: 'acknowledged', drain: async () => ending.abort() }
    },
  }
}
