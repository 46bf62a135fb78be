import type { Span } from './ast.ts'
import type { LanguageProblem } from './problem.ts'

/** The names that are being looked up: finds those that depend on themselves. */
export interface Lookups {
  /** What a name stands for, computed at the first look-up; `broken` if it depends on itself. */
  once<T>(known: Map<string, T>, name: string, reader: Span, broken: T, compute: () => T): T
  /** The same without keeping the result. */
  within<T>(name: string, reader: Span, broken: T, compute: () => T): T
}

/** Look-ups of one spec; a name that depends on itself is reported where it is read. */
export function createLookups(report: (problem: LanguageProblem) => void): Lookups {
  /** Outermost first. */
  const path: string[] = []
  const within: Lookups['within'] = (name, reader, broken, compute) => {
    if (path.includes(name)) {
      const cycle = [...path.slice(path.indexOf(name)), name].join(' → ')
      report({ code: 'SPEC_CYCLE', span: reader, message: `\`${name}\` depends on itself: ${cycle}` })
      return broken
    }
    path.push(name)
    const value = compute()
    path.pop()
    return value
  }
  return {
    within,
    once(known, name, reader, broken, compute) {
      const before = known.get(name)
      if (before !== undefined) return before
      const value = within(name, reader, broken, compute)
      known.set(name, value)
      return value
    },
  }
}
