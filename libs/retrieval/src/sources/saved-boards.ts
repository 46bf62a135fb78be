import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { actions } from '@freshet/domain/engagement'

import { createRules } from './shared/rules.ts'
import type { SharedViews, Source, SourceDefinition, SourceQuery } from '../source.ts'

/** Parameters of the saved-boards source. */
export type SavedBoardsParameters = {
  /** Of the boards the user saved to, how many are revisited, those of the latest saves. */
  readonly maxBoards: number
  /** Of each board, the latest pins that are looked up. */
  readonly maxPinsPerBoard: number
  /** Each board further back counts this much of the next. */
  readonly boardDecay: number
  /** Of the trails that touched a pin, the latest that are read. */
  readonly maxTrailsPerPin: number
  /** After this long a trail counts half. */
  readonly halfLifeMs: number
}

/**
 * Finds pins that other users took near the pins of the user's own boards, so that interests return that the latest
 * actions do not show. It looks up the latest pins of each board, equally many for each.
 */
export const savedBoards: SourceDefinition<SavedBoardsParameters> = {
  name: 'saved-boards',
  description: "Pins that other users took near the pins of the user's own boards.",
  enabled: true,
  maxCandidates: 100,
  share: 0.1,
  parameters: {
    maxBoards: wholeSetting(5, {
      description: 'The source revisits at most this many of the boards that the user saved to last',
      unit: 'boards',
      min: 1,
      max: 1_000,
    }),
    maxPinsPerBoard: wholeSetting(2, {
      description: 'The source looks up at most this many of the latest pins of each board',
      unit: 'pins',
      min: 1,
      max: 1_000,
    }),
    boardDecay: numberSetting(0.8, {
      description: 'Each board further back counts this much of the next one',
      unit: 'factor',
      min: 0,
      max: 1,
    }),
    maxTrailsPerPin: wholeSetting(100, {
      description: 'The source reads at most this many of the latest trails of a pin',
      unit: 'trails',
      min: 1,
      max: 100_000,
    }),
    halfLifeMs: wholeSetting(90 * 86_400_000, {
      description: 'A trail counts half after this time',
      unit: 'ms',
      min: 1,
      max: 3_650 * 86_400_000,
    }),
  },
  create: createSavedBoards,
}

const save = actions.indexOf('save')

function createSavedBoards({ board }: SharedViews, parameters: SavedBoardsParameters): Source {
  const rules = createRules(board, {
    maxSessionsPerPin: parameters.maxTrailsPerPin,
    maxDistance: 10,
    distanceExponent: 0.5,
    backwardWeight: 1,
    rarityExponent: 1,
    halfLifeMs: parameters.halfLifeMs,
  })
  return {
    name: 'saved-boards',
    scale: 'relative',
    reads: {
      list: 'trails',
      maxPerPin: parameters.maxTrailsPerPin,
      pinsOf: (query) => savedPins(query, parameters).map(({ row }) => row),
    },
    startedFrom: (query) => savedPins(query, parameters).map(({ row }) => row),
    query(query, hits, interruption) {
      rules.begin()
      const { trails, ownTrail } = query.index
      const at = { sessions: trails, atMs: query.atMs, ownSession: ownTrail, interruption }
      for (const { row, weight } of savedPins(query, parameters)) rules.add(row, weight, at)
      rules.top(query, trails, hits)
    },
    bytes: () => 0,
    save() {},
    load() {},
  }
}

/** Selects the pins to look up, the latest saves first, and the weight of each. */
function savedPins(
  query: SourceQuery,
  { maxBoards, maxPinsPerBoard, boardDecay }: SavedBoardsParameters,
): { readonly row: number; readonly weight: number }[] {
  const taken = new Map<string, { readonly weight: number; pins: number }>()
  const pins: { readonly row: number; readonly weight: number }[] = []
  for (let i = query.recentCount - 1; i >= 0; i--) {
    const boardId = query.recentBoards[i] ?? null
    if (boardId === null || query.recentActions[i] !== save) continue
    let mine = taken.get(boardId)
    if (mine === undefined) {
      if (taken.size === maxBoards) continue
      mine = { weight: boardDecay ** taken.size, pins: 0 }
      taken.set(boardId, mine)
    }
    if (mine.pins++ < maxPinsPerBoard) pins.push({ row: query.recentRows[i]!, weight: mine.weight })
  }
  return pins
}
