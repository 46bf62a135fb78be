import { isCatalogueChange } from '@freshet/contracts/catalogue-topics'
import { decodeBoardChange } from '@freshet/contracts/codecs/board'
import type { TitlesOfBoards } from '@freshet/contracts/inspection/routes'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { partitionOf } from '@freshet/domain/partition'
import { scopeOf, stateOf } from './catalogue-keeper.ts'

/** Reads the titles of boards from what the keeper of the catalogue stores: the newest record of each board whose changes have versions. */
export function storedBoardTitles(options: {
  readonly log: Pick<EventLog, 'partitionCount'>
  readonly store: Pick<StateStore, 'read' | 'pointer'>
}): TitlesOfBoards {
  const { log, store } = options
  const { pointer, prefix } = stateOf['boards.v1']
  return async (boardIds) => {
    const titles = new Map<string, string>()
    const tag = await store.pointer(pointer)
    if (tag === null) return titles
    const partitions = await log.partitionCount('boards.v1')
    const byPartition = Map.groupBy(new Set(boardIds), (boardId) => partitionOf(boardId, partitions))
    for (const [partition, keys] of byPartition) {
      const { values } = await store.read(scopeOf(prefix, tag), partition, keys)
      for (const [row, key] of keys.entries()) {
        const value = values[row] ?? null
        if (value === null || !isCatalogueChange('boards.v1', key, value)) continue
        const change = decodeBoardChange(key, value)
        if (change.kind === 'upsert' && change.board.title !== '') titles.set(key, change.board.title)
      }
    }
    return titles
  }
}
