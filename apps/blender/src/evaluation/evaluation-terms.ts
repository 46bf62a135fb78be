/** The options that only evaluations have. */
export interface EvaluationTerms {
  /** Whether every shared view must reflect the tokens, not only the user's own state. */
  readonly collective: boolean
  /** Whether the evaluation wants candidates as the sources found them: not ranked, and hardly filtered. */
  readonly candidatesOnly: boolean
  /** Whether the feed may repeat seen pins. */
  readonly allowRepeats: boolean
  /** The only allowed pins; empty: all. */
  readonly among: readonly string[]
  readonly exclude: ReadonlySet<string>
  /** The only sources to ask; empty: all enabled sources. */
  readonly sources: readonly string[]
}
