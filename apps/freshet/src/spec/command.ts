import { writeFileSync } from 'node:fs'
import { diffPlans, formatChange } from '@freshet/ranking/language/diff'
import { formatSpec } from '@freshet/ranking/language/format'
import { formatProblem, LanguageError, type LanguageProblem } from '@freshet/ranking/language/problem'
import { hashOfPlan } from '@freshet/ranking/plan/plan'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from '../operations/errors.ts'
import type { Terminal } from '../operations/terminal.ts'
import { compileFile, readSpecText, type SpecArguments } from './spec-file.ts'

/** `freshet spec check`: compiles specs. Throws a LanguageError with the mistakes of all files. */
export async function runSpecCheck(files: readonly string[], given: SpecArguments, terminal: Terminal): Promise<void> {
  const problems: LanguageProblem[] = []
  for (const file of files) {
    try {
      const { plan, warnings } = compileFile(file, given)
      for (const warning of warnings) terminal.write(`${formatProblem(warning)}\n`)
      const { inputs, nodes, heads } = plan
      terminal.write(
        `${file}: ${plan.spec} is plan ${hashOfPlan(plan)}: ${inputs.length} inputs, ${nodes.length} nodes, ${heads.length} heads\n`,
      )
    } catch (error) {
      if (!(error instanceof LanguageError)) throw error
      for (const problem of error.problems) problems.push(problem)
    }
  }
  if (problems.length > 0) throw new LanguageError(problems)
}

/** `freshet spec format`: prints the canonical text, writes it, or checks that the files have it. */
export async function runSpecFormat(
  files: readonly string[],
  given: { readonly check?: boolean; readonly write?: boolean },
  terminal: Terminal,
): Promise<void> {
  if (given.check === true && given.write === true) throw new ArgumentError('give --check or --write, not both')
  const texts = files.map((file) => ({ file, text: readSpecText(file) }))
  const formatted = texts.map(({ file, text }) => ({ file, text, canonical: formatSpec(text, file) }))
  const other = formatted.filter(({ text, canonical }) => text !== canonical)
  if (given.check === true) {
    if (other.length === 0) return terminal.write(`${files.length} formatted\n`)
    const names = other.map(({ file }) => file).join(' ')
    throw new OperationError('SPEC_UNFORMATTED', `not formatted: ${names}; run freshet spec format --write ${names}`)
  }
  if (given.write !== true) for (const { canonical } of formatted) terminal.write(canonical)
  else
    for (const { file, canonical } of other) {
      writeFileSync(file, canonical)
      terminal.write(`formatted ${file}\n`)
    }
}

/** `freshet spec diff`: what differs between two specs, statement by statement. */
export async function runSpecDiff(
  before: string,
  after: string,
  given: SpecArguments,
  terminal: Terminal,
): Promise<void> {
  const changes = diffPlans(compileFile(before, given).plan, compileFile(after, given).plan)
  if (changes.length === 0) terminal.write('the same plan\n')
  for (const change of changes) terminal.write(`${formatChange(change)}\n`)
}
