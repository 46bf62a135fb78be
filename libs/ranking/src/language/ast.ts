/** Where a part of a spec is. */
export interface Span {
  /** The file as the caller named it. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  /** Offsets of the first character and of the one after the last, from 0. */
  readonly from: number
  readonly to: number
}

/** The infix operators of the language, from the loosest to the tightest. */
export type BinaryOperator = 'or' | 'and' | '<' | '<=' | '==' | '!=' | '>=' | '>' | '+' | '-' | '*' | '/' | '^'

/** A formula or a parameter's value. */
export type Expression =
  /** `text`: the digits as written. */
  | { readonly kind: 'number'; readonly value: number; readonly text: string; readonly span: Span }
  | { readonly kind: 'text'; readonly value: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'name'; readonly name: string; readonly span: Span }
  /** All declared inputs of a group: `user.*`. */
  | { readonly kind: 'wildcard'; readonly group: string; readonly span: Span }
  | {
      readonly kind: 'call'
      readonly callee: string
      readonly args: readonly Expression[]
      readonly params: readonly Option[]
      readonly span: Span
    }
  | { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly operand: Expression; readonly span: Span }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
      readonly span: Span
    }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly then: Expression
      readonly otherwise: Expression
      readonly span: Span
    }
  | { readonly kind: 'list'; readonly items: readonly Expression[]; readonly span: Span }
  | { readonly kind: 'map'; readonly entries: readonly Option[]; readonly span: Span }

/** A named value: `low: -3`. */
export interface Option {
  readonly name: string
  readonly value: Expression
  readonly span: Span
}

/** A type as written: `sequence[50] of category`. */
export interface TypeExpression {
  readonly name: string
  readonly size: number | null
  readonly of: TypeExpression | null
  readonly span: Span
}

/** A name where a statement declares it. */
export interface Declared {
  readonly name: string
  readonly span: Span
}

/** One statement of a spec. */
export type Statement = { readonly span: Span } & (
  | { readonly kind: 'spec'; readonly name: Declared; readonly base: { path: string; span: Span } | null }
  | { readonly kind: 'input'; readonly names: readonly Declared[]; readonly type: TypeExpression | null }
  | { readonly kind: 'const' | 'feature' | 'layer'; readonly name: Declared; readonly value: Expression }
  | {
      readonly kind: 'function'
      readonly name: Declared
      readonly parameters: readonly Declared[]
      readonly value: Expression
    }
  | { readonly kind: 'first phase'; readonly keep: Expression; readonly score: Expression }
  | {
      readonly kind: 'head'
      readonly name: Declared
      readonly of: Declared
      readonly value: Expression
      readonly options: readonly Option[]
    }
  | { readonly kind: 'utility'; readonly value: Expression }
  | { readonly kind: 'explore'; readonly value: Expression }
  | { readonly kind: 'expose'; readonly names: readonly Declared[] }
  | { readonly kind: 'training only'; readonly name: Declared; readonly value: Expression }
  | { readonly kind: 'train'; readonly options: readonly Option[] }
)

/** The statement of one kind. */
export type StatementOf<Kind extends Statement['kind']> = Extract<Statement, { readonly kind: Kind }>
