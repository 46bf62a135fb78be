import { formatProblem, type LanguageProblem } from '../problem.ts'
import type { SpecAnalysis } from './analysis.ts'

/** A mistake or a warning, with its place in the text of the editor. */
export interface Diagnostic {
  /** Offsets in the text, from 0. */
  readonly from: number
  readonly to: number
  readonly severity: 'error' | 'warning'
  readonly code: string
  /** As `freshet spec check` prints it. */
  readonly message: string
}

/** All mistakes and warnings of a spec. Those of a spec that it extends are at the path after `extends`. */
export function diagnosticsOf(analysis: SpecAnalysis): readonly Diagnostic[] {
  const { problems, warnings } = analysis.spec
  return [
    ...problems.map((problem) => diagnostic(problem, 'error', analysis)),
    ...warnings.map((problem) => diagnostic(problem, 'warning', analysis)),
  ]
}

function diagnostic(problem: LanguageProblem, severity: Diagnostic['severity'], analysis: SpecAnalysis): Diagnostic {
  const { code, span, message } = problem
  if (span.file === analysis.file || span.file === '')
    // Where something is missing at the end, the character before it is marked.
    return {
      from: Math.min(span.from, Math.max(0, analysis.text.length - 1)),
      to: Math.max(span.to, 1),
      severity,
      code,
      message,
    }
  const base = analysis.statements.find(({ statement }) => statement.kind === 'spec')?.statement
  const place = base?.kind === 'spec' ? (base.base?.span ?? base.span) : { from: 0, to: 1 }
  return { from: place.from, to: place.to, severity, code, message: formatProblem(problem) }
}
