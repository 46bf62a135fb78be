/** The lines of the protocol of worlds, version 1. One object with one key a line; times never go backwards. */

/** A pin, as a recording has it. */
export interface Pin {
  readonly pinId: string
  readonly title: string
  readonly topics: readonly string[]
  readonly creatorId: string
  readonly createdAt: string
}

/** An engagement, as a recording has it. */
export interface Engagement {
  readonly eventId: string
  readonly userId: string
  readonly action: 'impression' | 'closeup' | 'click' | 'save' | 'hide'
  readonly pinId: string
  readonly boardId?: string
  readonly occurredAt: string
  readonly feedId: string
  readonly position: number
  readonly surface: 'home'
}

/** Someone opens a feed. */
export interface Ask {
  readonly id: string
  readonly at: string
  readonly userId: string
  readonly surface: 'home'
  readonly pageSize: number
}

/** What is shown to them. */
export interface Shown {
  readonly id: string
  readonly feedId: string
  readonly pinIds: readonly string[]
  /** Predicted probabilities by action, in the order of `pinIds`. */
  readonly probabilities?: Readonly<Record<string, readonly number[]>>
}

/** A line that a world writes. */
export type WorldLine =
  | { readonly pin: Pin }
  | { readonly engagement: Engagement }
  | { readonly ask: Ask }
  | { readonly tick: { readonly at: string } }
  | { readonly report: WorldReport }
  | { readonly end: Record<string, never> }

/** Figures of one virtual day. */
export interface DayFigures {
  readonly day: number
  readonly feeds: number
  /** Mean number of saves per feed. */
  readonly savesPerFeed: number
  /** Expected saves of what was shown ÷ those of the best page that could be shown, summed over the feeds. */
  readonly shareOfBest: number
  /** Users who came that day. */
  readonly users: number
  /** Distinct pins looked at ÷ pins that exist. */
  readonly coverage: number
}

/** What a world reports at its end. */
export interface WorldReport {
  readonly seed: number
  readonly policy: string
  readonly days: readonly DayFigures[]
  /** Mean share of the best value over the second to the last day. */
  readonly shareOfBest: number
  /** Expected saves that were missed against the best pages. */
  readonly regret: number
  /** Users who come on the last day ÷ users. */
  readonly returning: number
  /** Of the pins that came at least a day before the end, the share that was looked at five times or more within its first day. */
  readonly newPins: number
  /** Σ predicted ÷ Σ true probability of each predicted action, on the condition that the pin is looked at. */
  readonly calibration: Readonly<Record<string, number>>
}
