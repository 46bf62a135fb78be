import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

/** A decision forest cannot be used. `problems` lists every problem: line, field, what is wrong, and what to do. */
export class ForestError extends CodedError<'FOREST_INVALID'> {
  readonly problems: readonly string[]
  constructor(problems: readonly string[], file?: string) {
    const name = file === undefined ? 'the decision forest' : `the decision forest ${file}`
    const list = problems.map((problem) => `  ${problem}`).join('\n')
    super(
      'FOREST_INVALID',
      rankingErrorCatalogue.FOREST_INVALID,
      `${name} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${list}`,
    )
    this.problems = problems
  }
}

/** Collects the problems of one text, so that one reading reports all of them. */
export interface Problems {
  readonly list: readonly string[]
  add(line: number, problem: string): void
}

/** Creates an empty list of problems. It keeps the first `limit` and counts the rest. */
export function createProblems(limit = 50): Problems & { readonly report: () => readonly string[] } {
  const list: string[] = []
  let left = 0
  return {
    list,
    add: (line, problem) => {
      if (list.length < limit) list.push(`line ${line}: ${problem}`)
      else left++
    },
    report: () => (left === 0 ? list : [...list, `and ${left} more`]),
  }
}
