import type { Transform } from '../transforms/definition.ts'
import type { Catalogue } from './elaboration.ts'
import { parametersOf } from './options.ts'
import { statementReference } from './statement-reference.ts'

/** Transforms that a spec writes as operators, with their notation. */
export const operatorNotations: Readonly<Record<string, string>> = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'a / b',
  power: 'a ^ b',
  negate: '-a',
  less: 'a < b',
  less_equal: 'a <= b',
  equal: 'a == b',
  not_equal: 'a != b',
  greater: 'a > b',
  greater_equal: 'a >= b',
  and: 'a and b',
  or: 'a or b',
  not: 'not a',
  if: 'if a then b else c',
  constant: 'a number or "a text"',
}

/** The reference page of the language, `libs/ranking/LANGUAGE.md`: every statement and every transform with an example. */
export function renderReference(catalogue: Catalogue): string {
  const transforms = [...catalogue.values()]
  const called = transforms.filter((transform) => !(transform.name in operatorNotations))
  return [
    '# The ranking language',
    '',
    'A spec says from feature to score how a feed is ranked. `freshet spec check` lists its mistakes, `freshet spec explain` shows what it computes and at what cost. This page is generated from the code (`npm run readme:update`); a test compiles every example.',
    '',
    'One statement a line. A line continues while a bracket is open, after an operator or a comma, and if the next line begins with one. `#` starts a comment. Statements may be in any order; names are unique.',
    '',
    '## Statements',
    '',
    ...statementReference.flatMap(({ word, syntax, summary, example }) => [
      `### \`${word}\``,
      '',
      summary,
      '',
      fence(syntax),
      '',
      fence(example),
      '',
    ]),
    '## Operators',
    '',
    '| operator | transform | result |',
    '| --- | --- | --- |',
    ...transforms
      .filter(({ name }) => name in operatorNotations)
      .map(({ name, summary }) => `| \`${cell(operatorNotations[name]!)}\` | \`${name}\` | ${cell(summary)} |`),
    '',
    'Arithmetic with a missing number is missing; `exists(x)` and `default(x, 0)` handle it. A missing number enters a learned layer as 0.',
    '',
    '## Transforms',
    '',
    'A fixed transform is a formula. A fitted one has statistics of the training rows. A learned one has weights; where it is written twice, each has weights of its own.',
    '',
    ...(['fixed', 'fitted', 'learned'] as const).flatMap((gradient) => [
      `### ${gradient[0]!.toUpperCase()}${gradient.slice(1)}`,
      '',
      ...called.filter((transform) => transform.gradient === gradient).flatMap(describe),
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}

function describe({ name, summary, formula, example, params }: Transform): readonly string[] {
  const parameters = parametersOf(params)
  return [
    `#### \`${name}\``,
    '',
    summary,
    '',
    `Formula: ${formula}${parameters.length === 0 ? '' : `. Parameters: ${parameters.map(({ name: parameter, standard }) => `\`${parameter}\`${standard === null ? '' : ` (${standard})`}`).join(', ')}`}`,
    '',
    fence(example),
    '',
  ]
}

function fence(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
