import { positiveActions, type Engagement } from '@freshet/domain/engagement'
import type { PinId } from '@freshet/domain/ids'

import { rankIn, type Calibration } from './calibration.ts'
import type { Catalogue } from './catalogue.ts'
import type { EnabledSource } from './enabled-sources.ts'
import { uninterrupted } from './interruption.ts'
import { lessonOf } from './lessons.ts'
import type { IndexReading, NeighbourIndex } from './neighbours/neighbour-index.ts'
import type { QueryBuilder } from './query.ts'
import type { RetrieveQuery } from './question.ts'

/** The question that an action answers, and the pin it was about. */
export interface Lesson {
  readonly question: RetrieveQuery
  readonly pinId: PinId
}

/** How the merge learns from the log: all sources are asked what the user would take, just before it is folded what that was. */
export interface Learning {
  /** null for an action that teaches nothing, see `lessonOf`; and of a user of another shard, of whom nothing is known. */
  lessonOf(engagement: Engagement): Lesson | null
  /** At which rank each source has the pin; `gathered`: the index, where it is spread over shards. */
  ranksOf(lesson: Lesson, gathered: IndexReading | null): Int32Array
  learn(ranks: Int32Array): void
}

/** What learning works with. */
export interface LearningContext {
  readonly enabled: readonly EnabledSource[]
  readonly calibration: Calibration
  readonly catalogue: Catalogue
  readonly index: NeighbourIndex
  readonly queries: QueryBuilder
}

/** Learning into a calibration. */
export function createLearning({ enabled, calibration, catalogue, index, queries }: LearningContext): Learning {
  return {
    lessonOf(engagement) {
      const { subject, action } = engagement
      if (subject.kind !== 'pin' || !positiveActions.includes(action)) return null
      const { pinId } = subject
      const question = lessonOf(engagement, { pinId, samples: calibration.samples }, { catalogue, ...index })
      return question === null ? null : { question, pinId }
    },
    ranksOf({ question, pinId }, gathered) {
      const row = catalogue.rowOf(pinId)
      const query = queries.build(question, gathered)
      return Int32Array.from(enabled, ({ source, hits }) => {
        hits.count = 0
        source.query(query, hits, uninterrupted)
        return rankIn(hits, row)
      })
    },
    learn(ranks) {
      // Sources that are on elsewhere only say nothing of the worth of those that are on here.
      if (ranks.length === enabled.length) calibration.learn(ranks)
    },
  }
}
