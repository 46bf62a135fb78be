import { createToken, Lexer, type TokenType } from 'chevrotain'

/** Every word, also a reserved one: what may stand before the colon of an option. */
export const Word = createToken({ name: 'Word', label: 'a word', pattern: Lexer.NA })
/** Names with dots, for example `pin.save_rate`. The category also contains words that mean something in one place only. */
export const Name = createToken({
  name: 'Name',
  label: 'a name',
  pattern: /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/,
  categories: [Word],
})

/** Words that no statement may declare. */
const reserved: TokenType[] = []

function keyword(word: string, pattern: RegExp = new RegExp(String.raw`${word}\b`)): TokenType {
  const token = createToken({
    name: `Word_${word.replaceAll(' ', '_')}`,
    label: `\`${word}\``,
    pattern,
    longer_alt: Name,
    categories: [Word],
  })
  reserved.push(token)
  return token
}

/** A word with a meaning in one place; elsewhere it is a name. */
function soft(word: string): TokenType {
  return createToken({
    name: `Word_${word}`,
    label: `\`${word}\``,
    pattern: new RegExp(String.raw`${word}\b`),
    longer_alt: Name,
    categories: [Name],
  })
}

function symbol(name: string, text: string): TokenType {
  return createToken({ name, label: `\`${text}\``, pattern: text })
}

/** The words that begin a statement. */
export const statementWords = {
  spec: keyword('spec'),
  input: keyword('input'),
  const: keyword('const'),
  function: keyword('function'),
  feature: keyword('feature'),
  'first phase': keyword('first phase', /first[ \t]+phase\b/),
  layer: keyword('layer'),
  head: keyword('head'),
  utility: keyword('utility'),
  explore: keyword('explore'),
  expose: keyword('expose'),
  'training only': keyword('training only', /training[ \t]+only\b/),
  train: keyword('train'),
} as const satisfies Readonly<Record<string, TokenType>>

export const If = keyword('if')
export const Then = keyword('then')
export const Else = keyword('else')
export const And = keyword('and')
export const Or = keyword('or')
export const Not = keyword('not')
export const True = keyword('true')
export const False = keyword('false')

export const Extends = soft('extends')
export const Keep = soft('keep')
export const By = soft('by')
export const Of = soft('of')

export const NumberToken = createToken({
  name: 'Number',
  label: 'a number',
  pattern: /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/,
})
export const Text = createToken({ name: 'Text', label: 'a text in quotes', pattern: /"(?:[^"\\\n]|\\.)*"/ })
export const Wildcard = createToken({
  name: 'Wildcard',
  label: 'a group such as `user.*`',
  pattern: /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.\*/,
})

export const LeftParen = symbol('LeftParen', '(')
export const RightParen = symbol('RightParen', ')')
export const LeftBracket = symbol('LeftBracket', '[')
export const RightBracket = symbol('RightBracket', ']')
export const LeftBrace = symbol('LeftBrace', '{')
export const RightBrace = symbol('RightBrace', '}')
export const Comma = symbol('Comma', ',')
export const Colon = symbol('Colon', ':')
export const Comparison = createToken({ name: 'Comparison', label: 'a comparison', pattern: /<=|>=|==|!=|<|>/ })
export const Equals = symbol('Equals', '=')
export const Plus = symbol('Plus', '+')
export const Minus = symbol('Minus', '-')
export const Times = symbol('Times', '*')
export const Divide = symbol('Divide', '/')
export const Power = symbol('Power', '^')

export const Newline = createToken({
  name: 'Newline',
  label: 'the end of the statement',
  pattern: /\r?\n/,
  line_breaks: true,
})
const Blank = createToken({ name: 'Blank', pattern: /[ \t]+/, group: Lexer.SKIPPED })
const Comment = createToken({ name: 'Comment', pattern: /#[^\n\r]*/, group: 'comments' })

/** Words that a statement cannot declare as a name. */
export const reservedWords: ReadonlySet<TokenType> = new Set(reserved)

/** All tokens; where two match, the earlier wins. */
export const allTokens: TokenType[] = [
  Newline,
  Blank,
  Comment,
  NumberToken,
  Text,
  Wildcard,
  ...reserved.sort((a, b) => b.name.length - a.name.length),
  Extends,
  Keep,
  By,
  Of,
  Name,
  Word,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Comparison,
  Equals,
  Plus,
  Minus,
  Times,
  Divide,
  Power,
]
