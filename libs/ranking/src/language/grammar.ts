import type { Declared, Option, Span, Statement, TypeExpression } from './ast.ts'
import { FormulaParser, numberOf, textOf } from './formula-grammar.ts'
import { spanOf } from './lines.ts'
import * as t from './tokens.ts'

/** The grammar of one statement. Recovery is by statement: each is parsed alone, so a mistake spoils no other one. */
export class StatementParser extends FormulaParser {
  constructor() {
    super()
    this.performSelfAnalysis()
  }

  statement = this.RULE('statement', (): Statement =>
    this.OR([
      { ALT: () => this.SUBRULE(this.spec) },
      { ALT: () => this.SUBRULE(this.inputs) },
      { ALT: () => this.SUBRULE(this.definition) },
      { ALT: () => this.SUBRULE(this.functionDefinition) },
      { ALT: () => this.SUBRULE(this.firstPhase) },
      { ALT: () => this.SUBRULE(this.head) },
      { ALT: () => this.SUBRULE(this.utility) },
      { ALT: () => this.SUBRULE(this.explore) },
      { ALT: () => this.SUBRULE(this.expose) },
      { ALT: () => this.SUBRULE(this.trainingOnly) },
      { ALT: () => this.SUBRULE(this.train) },
    ]),
  )

  private spec = this.RULE('spec', (): Statement => {
    const first = this.CONSUME(t.statementWords.spec)
    const name = this.SUBRULE(this.declared)
    let base: { path: string; span: Span } | null = null
    this.OPTION(() => {
      this.CONSUME(t.Extends)
      const text = this.CONSUME(t.Text)
      base = this.ACTION(() => ({ path: textOf(text), span: spanOf(text, text, this.file) }))
    })
    return this.ACTION(() => ({ kind: 'spec', name, base, span: this.since(first) }))
  })

  private inputs = this.RULE('inputs', (): Statement => {
    const first = this.CONSUME(t.statementWords.input)
    const names = this.SUBRULE(this.names)
    let type: TypeExpression | null = null
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      type = this.SUBRULE(this.type)
    })
    return this.ACTION(() => ({ kind: 'input', names, type, span: this.since(first) }))
  })

  private definition = this.RULE('definition', (): Statement => {
    const first = this.OR([
      { ALT: () => this.CONSUME(t.statementWords.const) },
      { ALT: () => this.CONSUME(t.statementWords.feature) },
      { ALT: () => this.CONSUME(t.statementWords.layer) },
    ])
    const name = this.SUBRULE(this.declared)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => {
      const kind = first.image as 'const' | 'feature' | 'layer'
      return { kind, name, value, span: this.since(first) }
    })
  })

  private functionDefinition = this.RULE('functionDefinition', (): Statement => {
    const first = this.CONSUME(t.statementWords.function)
    const name = this.SUBRULE(this.declared)
    this.CONSUME(t.LeftParen)
    const parameters = this.SUBRULE(this.names)
    this.CONSUME(t.RightParen)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => ({ kind: 'function', name, parameters, value, span: this.since(first) }))
  })

  private firstPhase = this.RULE('firstPhase', (): Statement => {
    const first = this.CONSUME(t.statementWords['first phase'])
    this.CONSUME(t.Keep)
    const keep = this.SUBRULE(this.expression)
    this.CONSUME(t.By)
    const score = this.SUBRULE1(this.expression)
    return this.ACTION(() => ({ kind: 'first phase', keep, score, span: this.since(first) }))
  })

  private head = this.RULE('head', (): Statement => {
    const first = this.CONSUME(t.statementWords.head)
    const name = this.SUBRULE(this.declared)
    this.CONSUME(t.Colon)
    const of = this.SUBRULE1(this.declared)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    const options: Option[] = []
    this.MANY(() => {
      this.CONSUME(t.Comma)
      options.push(this.SUBRULE(this.namedValue))
    })
    return this.ACTION(() => ({ kind: 'head', name, of, value, options, span: this.since(first) }))
  })

  private utility = this.RULE('utility', (): Statement => {
    const first = this.CONSUME(t.statementWords.utility)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => ({ kind: 'utility', value, span: this.since(first) }))
  })

  private explore = this.RULE('explore', (): Statement => {
    const first = this.CONSUME(t.statementWords.explore)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => ({ kind: 'explore', value, span: this.since(first) }))
  })

  private expose = this.RULE('expose', (): Statement => {
    const first = this.CONSUME(t.statementWords.expose)
    const names = this.SUBRULE(this.names)
    return this.ACTION(() => ({ kind: 'expose', names, span: this.since(first) }))
  })

  private trainingOnly = this.RULE('trainingOnly', (): Statement => {
    const first = this.CONSUME(t.statementWords['training only'])
    const name = this.SUBRULE(this.declared)
    this.CONSUME(t.Equals)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => ({ kind: 'training only', name, value, span: this.since(first) }))
  })

  private train = this.RULE('train', (): Statement => {
    const first = this.CONSUME(t.statementWords.train)
    const options: Option[] = []
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => options.push(this.SUBRULE(this.namedValue)) })
    return this.ACTION(() => ({ kind: 'train', options, span: this.since(first) }))
  })

  private declared = this.RULE('declared', (): Declared => {
    const name = this.CONSUME(t.Name)
    return this.ACTION(() => ({ name: name.image, span: spanOf(name, name, this.file) }))
  })

  private names = this.RULE('names', (): Declared[] => {
    const names: Declared[] = []
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => names.push(this.SUBRULE(this.declared)) })
    return names
  })

  private type = this.RULE('type', (): TypeExpression => {
    const name = this.CONSUME(t.Name)
    let size: number | null = null
    let of: TypeExpression | null = null
    this.OPTION(() => {
      this.CONSUME(t.LeftBracket)
      const token = this.CONSUME(t.NumberToken)
      size = this.ACTION(() => numberOf(token))
      this.CONSUME(t.RightBracket)
    })
    this.OPTION1(() => {
      this.CONSUME(t.Of)
      of = this.SUBRULE(this.type)
    })
    return this.ACTION(() => ({ name: name.image, size, of, span: this.since(name) }))
  })
}
