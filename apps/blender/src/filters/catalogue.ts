import { ContractError } from '@freshet/contracts/errors'
import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { UserContext } from '../stages/user-state.ts'

/** Removes what was deleted, and what is by a creator or on a topic that the user blocked. Lets nothing through before it has read the catalogue. */
export function catalogueFilter({
  facts,
  factsUnready,
}: Pick<StagePorts, 'facts' | 'factsUnready'>): Filter<UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'catalogue',
    policy: 'fail-closed',
    reasons: ['deleted', 'blocked-creator', 'blocked-topic'],
    prepare: ({ user: { blockedCreators, blockedTopics } }, { keys }) => {
      const unready = factsUnready()
      if (unready !== null) throw new ContractError('FACTS_BEHIND', unready)
      return (row) => {
        const fact = facts.rowOf(keys.high[row] as number, keys.low[row] as number)
        if (fact < 0) return keep
        if (facts.isDeleted(fact)) return 0
        if (blockedCreators.size > 0 && blockedCreators.has(facts.creatorOf(fact))) return 1
        if (blockedTopics.size > 0 && facts.hasTopicOf(fact, blockedTopics)) return 2
        return keep
      }
    },
  }
}
