import type { Plan } from '../plan/plan.ts'
import type { Span } from './ast.ts'
import type { GraphInput, GraphValue } from './graph.ts'
import type { LanguageProblem } from './problem.ts'

/** A head with the graph's value of its logit. */
export type GraphHead = Omit<Plan['heads'][number], 'value'> & { readonly value: GraphValue; readonly span: Span }

/** A spec whose names and types are resolved. Complete only if there are no problems. */
export interface CheckedSpec {
  readonly name: string
  readonly inputs: readonly GraphInput[]
  /** Values of features, layers and heads in the order of the statements. */
  readonly values: ReadonlyMap<string, GraphValue>
  readonly firstPhase: { readonly keep: number; readonly score: GraphValue; readonly span: Span } | null
  /** The standard deviation of the utility; null: there is no exploration. */
  readonly exploration: { readonly deviation: GraphValue; readonly span: Span } | null
  readonly heads: readonly GraphHead[]
  readonly utility: Plan['utility']
  readonly exposed: readonly { readonly name: string; readonly value: GraphValue; readonly span: Span }[]
  readonly trainingOnly: readonly { readonly input: GraphInput; readonly servingValue: number }[]
  readonly training: Plan['training'] | null
  readonly problems: readonly LanguageProblem[]
  /** What looks like a mistake, but does no harm. */
  readonly warnings: readonly LanguageProblem[]
}
