import type { Degradation, Freshness } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import type { RunRecord } from '@freshet/pipeline/record'

/** What a page was made with. */
export interface PageVersions {
  /** Names the feed whose pages follow each other. */
  readonly pageSession: string
  /** The model that scored it; '': the ranker did not. */
  readonly model: string
  /** The embeddings that the candidate search used; '': none. */
  readonly embeddings: string
}

/** Receives reports about the blender's work. */
export interface FeedObserver {
  /** A pipeline ended, with any outcome. */
  ran(record: RunRecord): void
  /** The blender answered a request. */
  answered(answer: {
    readonly surface: 'home' | 'related' | 'list'
    readonly degradation: Degradation
    readonly freshness: Freshness
    readonly items: number
    readonly tookMs: number
    readonly madeOf: PageVersions
  }): void
  /** Feeds were not written to `feeds-served.v1`: the outbox was `full`, or the `log` rejected them. */
  feedLost(feeds: number, why: 'full' | 'log', error: unknown): void
  /** A request was refused because too many are under way. */
  shed?(kind: 'prefetch' | 'request'): void
  /** A request ended. `error`: why it has no answer; null: it has one. */
  ended?(kind: 'prefetch' | 'request', error: unknown): void
  /** Background work failed, for example the refresh of popular pins or a write of a last good feed. */
  failed(
    what:
      'popular' | 'last-good' | 'page-reserve' | 'cursor-key' | 'pin-facts' | 'pointer' | 'log-watch' | 'experiments',
    error: unknown,
    at?: TopicPartition,
  ): void
}
