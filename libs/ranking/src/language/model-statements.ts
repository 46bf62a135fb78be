import { z } from 'zod'
import type { Plan, TrainingPlan } from '../plan/plan.ts'
import { formatType } from '../plan/value-type.ts'
import type { Expression, Span, StatementOf } from './ast.ts'
import type { GraphHead } from './checked-spec.ts'
import { exploreId, firstPhaseId, labelOf, type Scope } from './declare.ts'
import type { Elaborator } from './elaborate.ts'
import type { GraphValue } from './graph.ts'
import type { LanguageProblem } from './problem.ts'
import { readOptions } from './options.ts'
import { unknown } from './problem.ts'

/** What the readers of statements share. */
export interface Reading {
  readonly elaborator: Elaborator
  readonly scope: Scope
  readonly report: (problem: LanguageProblem) => void
}

/** Named values of a head. */
export const headOptions = z.strictObject({
  label: z.string().optional(),
  loss: z.number().positive().default(1),
  calibrate: z.enum(['none', 'platt', 'isotonic']).default('none'),
})

/** What a head can predict. */
export const headKinds = ['probability', 'amount'] as const

/** Reads a head; null after a problem. */
export function readHead(head: StatementOf<'head'>, { elaborator, report }: Reading): GraphHead | null {
  const { name, of, span } = head
  const kind = headKinds.find((known) => known === of.name)
  if (kind === undefined)
    report({ code: 'SPEC_TYPE', span: of.span, message: unknown('what a head predicts', of.name, headKinds) })
  const value = scalarOf(head.value, `the head \`${name.name}\``, elaborator.statement(name.name, head.value), {
    elaborator,
    report,
  })
  const given = elaborator.options(head.options)
  const options = given && readOptions(headOptions, `the head \`${name.name}\``, given, span, report)
  if (kind === undefined || value === null || options === null) return null
  return {
    name: name.name,
    kind,
    label: labelOf(head),
    lossWeight: options.loss,
    calibrate: options.calibrate,
    value,
    span,
  }
}

/** Named values of `train`. */
export const trainOptions = z.strictObject({
  epochs: z.int().positive().default(20),
  batch: z.int().positive().default(4096),
  rate: z.number().positive().default(0.001),
  l2: z.number().nonnegative().default(0),
  dropout: z.number().nonnegative().lt(1).default(0),
  patience: z.int().positive().default(2),
})

/** Reads `train`, or gives the defaults; null after a problem. */
export function readTraining(
  statement: StatementOf<'train'> | undefined,
  { elaborator, report }: Reading,
): TrainingPlan | null {
  const given = elaborator.options(statement?.options ?? [])
  const span = statement?.span ?? { file: '', line: 1, column: 1, from: 0, to: 0 }
  const options = given && readOptions(trainOptions, '`train`', given, span, report)
  if (options === null) return null
  const { epochs, batch, rate, l2, dropout, patience } = options
  return { epochs, batchRows: batch, learningRate: rate, l2, dropout, patience }
}

/** Reads `first phase`; null after a problem. */
export function readFirstPhase(
  statement: StatementOf<'first phase'>,
  { elaborator, report }: Reading,
): { readonly keep: number; readonly score: GraphValue; readonly span: Span } | null {
  const keep = elaborator.json(statement.keep, false)
  const score = scalarOf(
    statement.score,
    'the score of the first phase',
    elaborator.statement(firstPhaseId, statement.score),
    {
      elaborator,
      report,
    },
  )
  if (keep !== null && !(typeof keep === 'number' && Number.isInteger(keep) && keep >= 1))
    report({
      code: 'SPEC_PARAMETER',
      span: statement.keep.span,
      message: `the first phase keeps a whole number of candidates of at least 1, not ${JSON.stringify(keep)}`,
    })
  else if (keep !== null && score !== null) return { keep, score, span: statement.span }
  return null
}

/** Reads `explore`; null after a problem. */
export function readExploration(
  { value, span }: StatementOf<'explore'>,
  { elaborator, report }: Reading,
): { readonly deviation: GraphValue; readonly span: Span } | null {
  const what = 'the standard deviation of `explore`'
  const deviation = scalarOf(value, what, elaborator.statement(exploreId, value), { elaborator, report })
  return deviation === null ? null : { deviation, span }
}

/** Weight of each head in the utility: a sum of constants times heads; null after a problem. */
export function readUtility(expression: Expression, { elaborator, scope, report }: Reading): Plan['utility'] | null {
  const weights = new Map<string, number>()
  let isGood = true
  const fail = (span: Span, message: string): void => {
    isGood = false
    report({ code: 'SPEC_UTILITY', span, message })
  }
  const add = (part: Expression, factor: number): void => {
    if (part.kind === 'name' && scope.entries.get(part.name)?.statement.kind === 'head')
      weights.set(part.name, (weights.get(part.name) ?? 0) + factor)
    else if (part.kind === 'unary' && part.operator === '-') add(part.operand, -factor)
    else if (part.kind === 'binary' && (part.operator === '+' || part.operator === '-')) {
      add(part.left, factor)
      add(part.right, part.operator === '-' ? -factor : factor)
    } else if (part.kind === 'binary' && (part.operator === '*' || part.operator === '/')) scale(part, factor)
    else if (part.kind === 'name' && scope.broken.has(part.name)) isGood = false
    else if (part.kind === 'name') {
      const heads = [...scope.entries.values()].filter(({ statement }) => statement.kind === 'head')
      isGood = false
      const message = unknown(
        'a head',
        part.name,
        heads.map(({ name }) => name.name),
      )
      report({ code: 'SPEC_UNKNOWN_NAME', span: part.span, message })
    } else fail(part.span, `${sumOnly}; take this out`)
  }
  const scale = (part: Extract<Expression, { kind: 'binary' }>, factor: number): void => {
    const { operator, left, right } = part
    const leftIsHeads = mentionsHead(left, scope)
    if (leftIsHeads && mentionsHead(right, scope)) return fail(part.span, `${sumOnly}; it does not multiply heads`)
    if (operator === '/' && !leftIsHeads) return fail(part.span, `${sumOnly}; it does not divide by heads`)
    const weight = elaborator.json(leftIsHeads ? right : left, false)
    if (typeof weight !== 'number') isGood = false
    else add(leftIsHeads ? left : right, operator === '/' ? factor / weight : factor * weight)
  }
  add(expression, 1)
  for (const [head, weight] of weights)
    if (!Number.isFinite(weight)) fail(expression.span, `the weight of \`${head}\` is not a finite number`)
  return isGood ? [...weights].map(([head, weight]) => ({ head, weight: weight + 0 })) : null
}

const sumOnly = 'the utility is a sum of weight · head, such as `4 * save - 10 * hide`'

function mentionsHead(expression: Expression, scope: Scope): boolean {
  switch (expression.kind) {
    case 'name':
      return scope.entries.get(expression.name)?.statement.kind === 'head'
    case 'unary':
      return mentionsHead(expression.operand, scope)
    case 'binary':
      return mentionsHead(expression.left, scope) || mentionsHead(expression.right, scope)
    default:
      return false
  }
}

/** The node of a formula that must be one number; null after a problem. */
function scalarOf(
  expression: Expression,
  what: string,
  value: ReturnType<Elaborator['value']>,
  { elaborator, report }: Pick<Reading, 'elaborator' | 'report'>,
): GraphValue | null {
  const node = elaborator.graph.valueOf(value, expression.span)
  if (node === null || node.type.kind === 'scalar') return node
  const message = `${what} is one number (scalar), but this is ${formatType(node.type)}; for example \`linear(…)\` makes one`
  report({ code: 'SPEC_TYPE', span: expression.span, message })
  return null
}
