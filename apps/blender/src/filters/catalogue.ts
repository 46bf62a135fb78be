import { ContractError } from '@freshet/contracts/errors'
import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { UserContext } from '../hydrators/user-state.ts'

/**
 * Removes pins that the catalogue does not have or has deleted, pins of a creator that it has suspended or deleted, pins that do not fit
 * the locale, and pins of a creator or topic that the user blocked. Throws FACTS_BEHIND before the blender has read the catalogue.
 */
export function catalogueFilter({
  facts,
  creators,
  factsUnready,
  config,
}: Pick<StagePorts, 'facts' | 'creators' | 'factsUnready' | 'config'>): Filter<
  Pick<FeedRequest, 'locale'> & UserContext,
  CandidateColumns
> {
  return {
    kind: 'filter',
    name: 'catalogue',
    policy: 'fail-closed',
    reasons: ['deleted', 'not-in-catalogue', 'other-locale', 'blocked-creator', 'blocked-topic', 'suspended-creator'],
    prepare: ({ locale, user: { blockedCreators, blockedTopics } }, { keys }) => {
      const unready = factsUnready()
      if (unready !== null) throw new ContractError('FACTS_BEHIND', unready)
      // A pin that found no room in the facts may have been deleted, or have labels that the other filters cannot see.
      const unlisted = config.showUnlistedPins && facts.isComplete() ? keep : 1
      const factRows = facts.rowsOf(keys)
      const someClosed = creators.closed > 0
      const locales = locale === '' ? null : facts.localesFor(locale)
      return (row) => {
        const fact = factRows[row] as number
        if (fact < 0) return unlisted
        if (facts.isDeleted(fact)) return 0
        if (someClosed && creators.isClosed(facts.creatorOf(fact))) return 5
        if (locales !== null && locales[facts.localeOf(fact)] !== 1) return 2
        if (blockedCreators.size > 0 && blockedCreators.has(facts.creatorOf(fact))) return 3
        if (blockedTopics.size > 0 && facts.hasTopicOf(fact, blockedTopics)) return 4
        return keep
      }
    },
  }
}
