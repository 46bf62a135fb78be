/** What only evaluations ask for. */
export interface EvaluationTerms {
  /** Whether every view that all users feed must reflect the tokens, not the user's own state alone. */
  readonly collective: boolean
  /** Whether candidates are wanted as they were found: not ranked, and hardly filtered. */
  readonly candidatesOnly: boolean
  /** Whether seen pins may come again. */
  readonly allowRepeats: boolean
  /** The only pins that may come; empty: any. */
  readonly among: readonly string[]
  readonly exclude: ReadonlySet<string>
  /** The only sources that are asked; empty: all that are on. */
  readonly sources: readonly string[]
}
