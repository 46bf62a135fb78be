import { defaultParserErrorProvider, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain'
import { nearest } from '@freshet/domain/nearest'
import * as t from './tokens.ts'

/** What a syntax error says: what was expected and what is there. */
export const messages: IParserErrorMessageProvider = {
  ...defaultParserErrorProvider,
  buildMismatchTokenMessage: ({ expected, actual }) => expectation([expected], actual),
  buildNotAllInputParsedMessage: ({ firstRedundant }) =>
    `expected the end of the statement or an operator, but found ${found(firstRedundant)}`,
  buildNoViableAltMessage: ({ expectedPathsPerAlt, actual }) =>
    expectation(
      expectedPathsPerAlt.flatMap((paths) => paths.flatMap((path) => path.slice(0, 1))),
      actual[0]!,
    ),
  buildEarlyExitMessage: ({ expectedIterationPaths, actual }) =>
    expectation(
      expectedIterationPaths.flatMap((path) => path.slice(0, 1)),
      actual[0]!,
    ),
}

function expectation(expected: readonly TokenType[], actual: IToken): string {
  const labels = expected.includes(t.LeftBrace)
    ? ['a formula']
    : [...new Set(expected.map(({ LABEL, name }) => LABEL ?? name))]
  const list = labels.length === 1 ? labels[0]! : `${labels.slice(0, -1).join(', ')} or ${labels.at(-1)}`
  return `expected ${list}, but found ${found(actual)}${hint(expected, actual)}`
}

function hint(expected: readonly TokenType[], actual: IToken): string {
  if (t.reservedWords.has(actual.tokenType) && expected.includes(t.Name))
    return `, which is a word of the language; choose another name`
  const words = expected.flatMap(({ LABEL = '' }) => /^`(\w+)`$/.exec(LABEL)?.[1] ?? [])
  const near = actual.tokenType === t.Name ? nearest(actual.image, words) : null
  return near === null ? '' : `; did you mean \`${near}\`?`
}

function found({ image }: IToken): string {
  return image === '' ? 'the end of the statement' : `\`${image}\``
}
