import type { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import type { RunRecord } from '@freshet/pipeline/record'

/** What the outside hears of the blender's work. */
export interface FeedObserver {
  /** A run of a pipeline ended, whatever its outcome. */
  ran(record: RunRecord): void
  /** A request was answered. */
  answered(answer: {
    readonly surface: 'home' | 'related'
    readonly degradation: Degradation
    readonly freshness: Freshness
    readonly items: number
    readonly tookMs: number
  }): void
  /** A feed did not get into `feeds-served.v1`: `full` outbox, or the `log` refused it. */
  feedLost(feeds: number, why: 'full' | 'log', error: unknown): void
  /** Something behind the answers failed: refreshing what is popular, keeping a last good feed, reading the catalogue. */
  failed(
    what: 'popular' | 'last-good' | 'pin-facts' | 'pointer' | 'log-watch',
    error: unknown,
    at?: TopicPartition,
  ): void
}
