import { EmbeddedActionsParser, type IToken } from 'chevrotain'
import type { BinaryOperator, Expression, Option, Span } from './ast.ts'
import { spanOf } from './lines.ts'
import { messages } from './messages.ts'
import * as t from './tokens.ts'

/** The grammar of formulas and named values. The rules are in the order of how tightly operators bind, the loosest first. */
export abstract class FormulaParser extends EmbeddedActionsParser {
  /** Goes into the spans. */
  file = ''

  constructor() {
    super(t.allTokens, { maxLookahead: 2, recoveryEnabled: false, errorMessageProvider: messages })
  }

  /** From a token to the last one that was read. */
  protected since(first: IToken): Span {
    return spanOf(first, this.LA(0), this.file)
  }

  protected namedValue = this.RULE('namedValue', (): Option => {
    const name = this.OR([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME(t.Text) }])
    this.CONSUME(t.Colon)
    const value = this.SUBRULE(this.expression)
    return this.ACTION(() => ({
      name: name.tokenType === t.Text ? textOf(name) : name.image,
      value,
      span: this.since(name),
    }))
  })

  protected expression = this.RULE('expression', (): Expression =>
    this.OR([{ ALT: () => this.SUBRULE(this.conditional) }, { ALT: () => this.SUBRULE(this.disjunction) }]),
  )

  protected conditional = this.RULE('conditional', (): Expression => {
    const first = this.CONSUME(t.If)
    const condition = this.SUBRULE(this.expression)
    this.CONSUME(t.Then)
    const then = this.SUBRULE1(this.expression)
    this.CONSUME(t.Else)
    const otherwise = this.SUBRULE2(this.expression)
    return this.ACTION((): Expression => ({ kind: 'if', condition, then, otherwise, span: this.since(first) }))
  })

  protected disjunction = this.RULE('disjunction', (): Expression => {
    let left = this.SUBRULE(this.conjunction)
    this.MANY(() => {
      const operator = this.CONSUME(t.Or)
      left = this.joined(left, operator, this.SUBRULE1(this.conjunction))
    })
    return left
  })

  protected conjunction = this.RULE('conjunction', (): Expression => {
    let left = this.SUBRULE(this.negation)
    this.MANY(() => {
      const operator = this.CONSUME(t.And)
      left = this.joined(left, operator, this.SUBRULE1(this.negation))
    })
    return left
  })

  protected negation = this.RULE('negation', (): Expression =>
    this.OR([
      {
        ALT: () => {
          const first = this.CONSUME(t.Not)
          const operand = this.SUBRULE(this.negation)
          return this.ACTION((): Expression => ({ kind: 'unary', operator: 'not', operand, span: this.since(first) }))
        },
      },
      { ALT: () => this.SUBRULE(this.comparison) },
    ]),
  )

  protected comparison = this.RULE('comparison', (): Expression => {
    let left = this.SUBRULE(this.sum)
    this.OPTION(() => {
      const operator = this.CONSUME(t.Comparison)
      left = this.joined(left, operator, this.SUBRULE1(this.sum))
    })
    return left
  })

  protected sum = this.RULE('sum', (): Expression => {
    let left = this.SUBRULE(this.product)
    this.MANY(() => {
      const operator = this.OR([{ ALT: () => this.CONSUME(t.Plus) }, { ALT: () => this.CONSUME(t.Minus) }])
      left = this.joined(left, operator, this.SUBRULE1(this.product))
    })
    return left
  })

  protected product = this.RULE('product', (): Expression => {
    let left = this.SUBRULE(this.unary)
    this.MANY(() => {
      const operator = this.OR([{ ALT: () => this.CONSUME(t.Times) }, { ALT: () => this.CONSUME(t.Divide) }])
      left = this.joined(left, operator, this.SUBRULE1(this.unary))
    })
    return left
  })

  protected unary = this.RULE('unary', (): Expression =>
    this.OR([
      {
        ALT: () => {
          const first = this.CONSUME(t.Minus)
          const operand = this.SUBRULE(this.unary)
          return this.ACTION((): Expression => ({ kind: 'unary', operator: '-', operand, span: this.since(first) }))
        },
      },
      { ALT: () => this.SUBRULE(this.power) },
    ]),
  )

  protected power = this.RULE('power', (): Expression => {
    let left = this.SUBRULE(this.primary)
    this.OPTION(() => {
      const operator = this.CONSUME(t.Power)
      left = this.joined(left, operator, this.SUBRULE(this.unary))
    })
    return left
  })

  protected primary = this.RULE('primary', (): Expression => {
    const first = this.LA(1)
    return this.OR([
      { ALT: () => this.SUBRULE(this.literal) },
      { ALT: () => this.SUBRULE(this.reference) },
      {
        ALT: () => {
          const { image } = this.CONSUME(t.Wildcard)
          return this.ACTION((): Expression => ({
            kind: 'wildcard',
            group: image.slice(0, -2),
            span: this.since(first),
          }))
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LeftParen)
          const inner = this.SUBRULE(this.expression)
          this.CONSUME(t.RightParen)
          return inner
        },
      },
      {
        ALT: () => {
          const items: Expression[] = []
          this.CONSUME(t.LeftBracket)
          this.MANY_SEP({ SEP: t.Comma, DEF: () => items.push(this.SUBRULE1(this.expression)) })
          this.CONSUME(t.RightBracket)
          return this.ACTION((): Expression => ({ kind: 'list', items, span: this.since(first) }))
        },
      },
      {
        ALT: () => {
          const entries: Option[] = []
          this.CONSUME(t.LeftBrace)
          this.MANY_SEP1({ SEP: t.Comma, DEF: () => entries.push(this.SUBRULE(this.namedValue)) })
          this.CONSUME(t.RightBrace)
          return this.ACTION((): Expression => ({ kind: 'map', entries, span: this.since(first) }))
        },
      },
    ])
  })

  protected literal = this.RULE('literal', (): Expression =>
    this.OR([
      {
        ALT: () => {
          const token = this.CONSUME(t.NumberToken)
          return this.ACTION((): Expression => ({
            kind: 'number',
            value: numberOf(token),
            text: token.image,
            span: this.since(token),
          }))
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(t.Text)
          return this.ACTION((): Expression => ({ kind: 'text', value: textOf(token), span: this.since(token) }))
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(t.True)
          return this.ACTION((): Expression => ({ kind: 'boolean', value: true, span: this.since(token) }))
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(t.False)
          return this.ACTION((): Expression => ({ kind: 'boolean', value: false, span: this.since(token) }))
        },
      },
    ]),
  )

  protected reference = this.RULE('reference', (): Expression => {
    const name = this.CONSUME(t.Name)
    let call: { args: Expression[]; params: Option[] } | null = null
    this.OPTION(() => {
      const args: Expression[] = []
      const params: Option[] = []
      this.CONSUME(t.LeftParen)
      this.MANY_SEP({
        SEP: t.Comma,
        DEF: () =>
          this.OR([
            {
              GATE: () => this.LA(2).tokenType === t.Colon,
              ALT: () => params.push(this.SUBRULE(this.namedValue)),
              IGNORE_AMBIGUITIES: true,
            },
            { ALT: () => args.push(this.SUBRULE(this.expression)) },
          ]),
      })
      this.CONSUME(t.RightParen)
      call = { args, params }
    })
    return this.ACTION((): Expression => {
      const span = this.since(name)
      if (call === null) return { kind: 'name', name: name.image, span }
      return { kind: 'call', callee: name.image, ...call, span }
    })
  })

  protected joined(left: Expression, token: IToken, right: Expression): Expression {
    return this.ACTION((): Expression => ({
      kind: 'binary',
      operator: token.image as BinaryOperator,
      left,
      right,
      span: { ...left.span, to: right.span.to },
    }))
  }
}

/** The number that a token writes. */
export function numberOf({ image }: IToken): number {
  return Number(image.replaceAll('_', ''))
}

/** The text between the quotes. */
export function textOf({ image }: IToken): string {
  return image.slice(1, -1).replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
}
