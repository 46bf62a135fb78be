import { numberSetting } from '@freshet/settings/setting'
import { maxLag } from '../neighbours/lags.ts'
import type { Source, SourceDefinition, SharedViews } from '../source.ts'

/** Parameters of the revisit source. */
export type RevisitParameters = {
  /** Weight of the prior, in actions, so that the first few real actions decide little. */
  readonly priorActions: number
}

/**
 * Finds the user's own recent pins, scored by how often users return that far: P(return | lag), counted over all trails.
 * If nobody returns, the scores are near zero; if the request excludes the pins the user had, it finds nothing.
 */
export const revisit: SourceDefinition<RevisitParameters> = {
  name: 'revisit',
  description: "The user's own recent pins, by how often users return to a pin after so many others.",
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
        // Above zero even if nobody ever returned, so that each pin takes one lag.
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
