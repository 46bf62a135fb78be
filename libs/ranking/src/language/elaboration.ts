import type { Transform } from '../transforms/definition.ts'
import type { Expression, Option, Span } from './ast.ts'
import type { Scope } from './declare.ts'
import type { Graph, Value } from './graph.ts'
import type { Lookups } from './lookups.ts'
import type { GivenOption } from './options.ts'
import type { LanguageErrorCode, LanguageProblem } from './problem.ts'

/** Transforms by name. */
export type Catalogue = ReadonlyMap<string, Transform>

/** Values of a function's parameters, by name; null: outside of a function. */
export type Parameters = ReadonlyMap<string, Value> | null

/** What the elaboration of a part of a formula needs. */
export interface Elaboration {
  readonly scope: Scope
  readonly catalogue: Catalogue
  readonly graph: Graph
  readonly lookups: Lookups
  /** Names that some statement reads. */
  readonly read: Set<string>
  /** The spec's own file, to which paths in the plan are relative. */
  readonly file: string
  readonly report: (problem: LanguageProblem) => void
  /** Reports a mistake; what depends on the value is not checked. */
  readonly problem: (code: LanguageErrorCode, span: Span, message: string) => Value
  /** The value of a formula. */
  readonly value: (expression: Expression, parameters: Parameters) => Value
  /** Evaluated named values; null after a problem. */
  options(options: readonly Option[], parameters: Parameters): readonly GivenOption[] | null
}
