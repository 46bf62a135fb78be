import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'

/** Removes pins whose title or description has a word that the user blocked, among the first `maxWordsPerPin` different ones. */
export function mutedWordFilter({ facts }: Pick<StagePorts, 'facts'>): Filter<UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'muted-word',
    policy: 'fail-closed',
    reasons: ['muted-word'],
    prepare: ({ user: { blockedWords } }, columns) => {
      if (blockedWords.length === 0) return null
      const factRows = facts.rowsOf(columns.keys)
      return (row) => {
        const fact = factRows[row] as number
        return fact >= 0 && facts.hasWordOf(fact, blockedWords) ? 0 : keep
      }
    },
  }
}
