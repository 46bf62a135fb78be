import type { Span } from './ast.ts'
import type { CheckedSpec } from './checked-spec.ts'
import type { GraphValue } from './graph.ts'
import type { OwnedStatement } from './inherit.ts'
import type { LanguageProblem } from './problem.ts'

type Rules = Omit<CheckedSpec, 'problems' | 'warnings'>

/** What the rules know about the text of a spec. */
interface SpecText {
  readonly statements: readonly OwnedStatement[]
  /** Names that some statement reads. */
  readonly read: ReadonlySet<string>
  /** Names of inputs that are known only after the pin was shown. */
  readonly unserved: ReadonlySet<string>
}

/**
 * Rules about what a part of a spec may read. Reports values that are known only in training and read where serving decides,
 * inputs that serving does not know and that are not `training only`, and learned transforms that no head trains. Gives the
 * warnings.
 */
export function applyRules(
  spec: Rules,
  { statements, read, unserved }: SpecText,
  report: (problem: LanguageProblem) => void,
): readonly LanguageProblem[] {
  reportFuture(spec, statements, unserved, report)
  const model = reachable(spec.heads.map(({ value }) => value))
  const trainingOnly = new Set<GraphValue>(spec.trainingOnly.map(({ input }) => input))
  const outside = [
    ...(spec.firstPhase === null ? [] : [{ what: 'the first phase', ...valueOf(spec.firstPhase) }]),
    ...(spec.exploration === null
      ? []
      : [{ what: '`explore`', value: spec.exploration.deviation, span: spec.exploration.span }]),
    ...spec.exposed.map(({ name, value, span }) => ({ what: `the exposed \`${name}\``, value, span })),
  ]
  for (const { what, value, span } of outside) {
    for (const part of reachable([value])) {
      if (trainingOnly.has(part)) report(readsTrainingOnly(what, nameOf(part), span))
      if (part.kind !== 'node' || part.gradient !== 'learned') continue
      if (value === spec.exploration?.deviation) report(learnedDeviation(part.transform, span))
      else if (!model.has(part)) report(untrained(what, part.transform, span))
    }
  }
  return warningsOf(
    spec,
    statements,
    read,
    outside.map(({ value }) => value),
  )
}

/** Reports inputs that something reads although they are known only after the pin was shown. */
function reportFuture(
  spec: Rules,
  statements: readonly OwnedStatement[],
  unserved: ReadonlySet<string>,
  report: (problem: LanguageProblem) => void,
): void {
  const given = new Set(spec.trainingOnly.map(({ input }) => input.name))
  const roots = [...spec.heads, ...spec.exposed, ...spec.values.values()].map((root) =>
    'value' in root ? root.value : root,
  )
  const others = [spec.firstPhase?.score, spec.exploration?.deviation].filter((root) => root !== undefined)
  const used = reachable([...roots, ...others])
  for (const input of spec.inputs) {
    const { name } = input
    if (!unserved.has(name) || given.has(name) || !used.has(input)) continue
    const declared = statements.flatMap(({ statement }) => (statement.kind === 'input' ? statement.names : []))
    const { span } = declared.find((each) => each.name === name)!
    const message = `\`${name}\` is known only after the pin was shown; add \`training only ${name} = 0\` with the value that serving uses, or do not read it`
    report({ code: 'SPEC_READS_FUTURE', span, message })
  }
}

/** A deviation says how much evidence there is. Nothing would train its learned parts for that. */
function learnedDeviation(transform: string, span: Span): LanguageProblem {
  const message = `\`explore\` reads a learned \`${transform}\`; it may only read inputs and what is computed from them`
  return { code: 'SPEC_TYPE', span, message }
}

function valueOf({ score, span }: { readonly score: GraphValue; readonly span: Span }) {
  return { value: score, span }
}

function readsTrainingOnly(what: string, input: string, span: Span): LanguageProblem {
  const message = `${what} reads \`${input}\`, which only training knows; only layers and heads may read it`
  return { code: 'SPEC_READS_TRAINING_ONLY', span, message }
}

function untrained(what: string, transform: string, span: Span): LanguageProblem {
  const message = `${what} reads a learned \`${transform}\` that no head reads, so nothing trains it; name it as a layer and read it in a head`
  return { code: 'SPEC_UNTRAINED', span, message }
}

function nameOf(value: GraphValue): string {
  return value.kind === 'input' ? value.name : value.transform
}

function warningsOf(
  spec: Rules,
  statements: readonly OwnedStatement[],
  read: ReadonlySet<string>,
  outside: readonly GraphValue[],
): readonly LanguageProblem[] {
  const warnings: LanguageProblem[] = []
  const warn = (span: Span, message: string): void => void warnings.push({ code: 'SPEC_UNUSED', span, message })
  const used = reachable([...spec.heads.map(({ value }) => value), ...outside])
  for (const { statement, inherited } of statements) {
    if (inherited) continue
    if (statement.kind === 'input') {
      const name = statement.names[0]!
      const input = spec.inputs.find((known) => known.name === name.name)
      if (input !== undefined && !used.has(input)) warn(name.span, `nothing reads the input \`${name.name}\``)
    } else if (statement.kind === 'const' || statement.kind === 'function') {
      if (!read.has(statement.name.name)) warn(statement.name.span, `nothing reads \`${statement.name.name}\``)
    } else if (statement.kind === 'feature' || statement.kind === 'layer') {
      const value = spec.values.get(statement.name.name)
      if (value !== undefined && !used.has(value) && !read.has(statement.name.name))
        warn(statement.name.span, `no head, first phase, \`explore\` or \`expose\` reads \`${statement.name.name}\``)
    }
  }
  if (spec.firstPhase?.score.side === 'request')
    warn(spec.firstPhase.span, 'the score of the first phase is the same for all candidates of a request')
  for (const { name, value, span } of spec.heads)
    if (value.side === 'request') warn(span, `the head \`${name}\` is the same for all candidates of a request`)
  return warnings
}

/** The values with all that they are computed from. */
function reachable(roots: readonly GraphValue[]): ReadonlySet<GraphValue> {
  const found = new Set<GraphValue>()
  const visit = (value: GraphValue): void => {
    if (found.has(value)) return
    found.add(value)
    if (value.kind === 'node') value.args.forEach(visit)
  }
  roots.forEach(visit)
  return found
}
