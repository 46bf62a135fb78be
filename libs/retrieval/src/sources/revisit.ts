import { numberSetting } from '@freshet/settings/setting'
import { maxLag } from '../neighbours/lags.ts'
import type { Source, SourceDefinition, SharedViews } from '../source.ts'

/** Parameters of the revisit source. */
export type RevisitParameters = {
  /** Actions as if seen before the first, so that the first few decide nothing. */
  readonly priorActions: number
}

/**
 * The user's own recent pins, by how often users go back that far: P(return | lag), counted from everybody's trails.
 * Where nobody returns it says next to nothing; where the surface excludes what the user has had, it is silent.
 */
export const revisit: SourceDefinition<RevisitParameters> = {
  name: 'revisit',
  enabled: true,
  maxCandidates: maxLag,
  share: 0.3,
  parameters: {
    priorActions: numberSetting(100, {
      description: 'Weight of the prior, in actions: the first few real actions then decide little',
      unit: 'actions',
      min: 0,
      max: 1_000_000,
    }),
  },
  create: createRevisit,
}

function createRevisit({ board }: SharedViews, { priorActions }: RevisitParameters): Source {
  return {
    name: 'revisit',
    scale: 'probability',
    reads: { list: 'trails', maxPerPin: 0, pinsOf: () => [] },
    query(query, hits) {
      const { returns, chances } = query.index.lags
      board.clear()
      let lag = 0
      for (let i = query.recentCount - 1; i >= 0 && lag < maxLag; i--) {
        const row = query.recentRows[i]!
        if (board.get(row) > 0 || row === query.pinRow) continue
        // Above zero even where nobody ever returned, so that each pin takes one lag.
        board.add(row, (returns[lag]! + 1e-6) / (chances[lag]! + priorActions))
        lag++
      }
      board.top(query.limit, query.accept, hits)
    },
    bytes: () => 0,
    save() {},
    load() {},
  }
}
