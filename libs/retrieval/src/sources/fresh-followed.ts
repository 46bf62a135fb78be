import { numberSetting, wholeSetting } from '@freshet/settings/setting'
import { createNewest } from '../views/newest.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

/** Parameters of the fresh source. */
export type FreshFollowedParameters = {
  /** Newest pins kept of one creator, topic or board. */
  readonly maxPinsEach: number
  /** Boards with a list of their own; beyond that the one not saved to for longest goes. */
  readonly maxBoards: number
  /** After this long a pin counts half. */
  readonly halfLifeMs: number
  /** Older pins are not fresh. */
  readonly maxAgeMs: number
  /** What a pin published just now is worth: the probability that the user takes it. */
  readonly newestProbability: number
}

const dayMs = 86_400_000

/** New pins of the creators and topics a user follows, and new saves to followed boards, the newest first. */
export const freshFollowed: SourceDefinition<FreshFollowedParameters> = {
  name: 'fresh-followed',
  description: 'The newest pins of the creators, topics and boards that the user follows.',
  enabled: true,
  maxCandidates: 100,
  share: 1,
  parameters: {
    maxPinsEach: wholeSetting(50, {
      description: 'The source keeps at most this many of the newest pins of each creator, topic and board',
      unit: 'pins',
      min: 1,
      max: 10_000,
    }),
    maxBoards: wholeSetting(1_000_000, {
      description:
        'The source keeps lists for at most this many boards. When it needs room it drops the board with the oldest last save',
      unit: 'boards',
      min: 1,
      max: 100_000_000,
    }),
    halfLifeMs: wholeSetting(2 * dayMs, {
      description: 'A pin counts half after this time',
      unit: 'ms',
      min: 1,
      max: 3_650 * dayMs,
    }),
    maxAgeMs: wholeSetting(14 * dayMs, {
      description: 'The source ignores older pins',
      unit: 'ms',
      min: 1,
      max: 3_650 * dayMs,
    }),
    newestProbability: numberSetting(0.02, {
      description: 'Probability that the user takes a pin published just now',
      unit: 'probability',
      min: 0,
      max: 1,
    }),
  },
  create: createFreshFollowed,
}

function createFreshFollowed({ catalogue, board }: SharedViews, parameters: FreshFollowedParameters): Source {
  const { maxPinsEach, maxBoards, halfLifeMs, maxAgeMs, newestProbability } = parameters
  const byCreator = createNewest(catalogue, maxPinsEach)
  const byTopic = createNewest(catalogue, maxPinsEach)
  const byBoard = createNewest(catalogue, maxPinsEach)
  // In the order of the last save: a map keeps that of insertion.
  const boards = new Map<string, number>()
  let idCharacters = 0

  /** The list of a board that was saved to just now. */
  function boardRow(boardId: string): number {
    let list = boards.get(boardId)
    if (list !== undefined) boards.delete(boardId)
    else {
      list = boards.size
      const [oldest] = boards.size >= maxBoards ? boards : []
      if (oldest !== undefined) {
        list = oldest[1]
        byBoard.free(list)
        boards.delete(oldest[0])
        idCharacters -= oldest[0].length
      }
      idCharacters += boardId.length
    }
    boards.set(boardId, list)
    return list
  }

  function offer(lists: typeof byCreator, key: number, atMs: number): void {
    const start = lists.startOf(key)
    for (let i = start + lists.countOf(key) - 1; i >= start; i--) {
      const row = lists.rows[i]!
      const ageMs = Math.max(0, atMs - lists.atMs[i]!)
      if (ageMs > maxAgeMs) return
      const score = newestProbability * 2 ** (-ageMs / halfLifeMs)
      // A pin that is new in several lists counts once, as the newest of them.
      if (score > board.get(row)) board.add(row, score - board.get(row))
    }
  }

  function list(row: number): void {
    const createdAtMs = catalogue.createdAtMsOf(row)
    if (Number.isNaN(createdAtMs) || !catalogue.isShown(row)) return
    const creator = catalogue.creatorOf(row)
    if (creator >= 0) byCreator.put(creator, row, createdAtMs)
    for (let i = 0; i < catalogue.topicCountOf(row); i++) byTopic.put(catalogue.topicOf(row, i), row, createdAtMs)
  }

  function unlist(row: number): void {
    byCreator.remove(catalogue.creatorOf(row), row)
    for (let i = 0; i < catalogue.topicCountOf(row); i++) byTopic.remove(catalogue.topicOf(row, i), row)
  }

  return {
    name: 'fresh-followed',
    scale: 'probability',
    foldPin: list,
    foldShown(row) {
      if (catalogue.isShown(row)) list(row)
      else unlist(row)
    },
    undescribe: unlist,
    holders: [byBoard],
    foldEngagement({ engagement, row }) {
      if (row < 0 || engagement.action !== 'save' || engagement.boardId === null) return
      byBoard.put(boardRow(engagement.boardId), row, engagement.occurredAtMs)
    },
    withdraw({ engagement: { boardId }, row, saves }) {
      const list = boardId === null ? undefined : boards.get(boardId)
      if (list !== undefined) for (const { atMs } of saves) byBoard.remove(list, row, atMs)
    },
    query(query, hits) {
      board.clear()
      for (const creator of query.followedCreators) offer(byCreator, creator, query.atMs)
      for (const topic of query.followedTopics) offer(byTopic, topic, query.atMs)
      for (const boardId of query.followedBoards) {
        const list = boards.get(boardId)
        if (list !== undefined) offer(byBoard, list, query.atMs)
      }
      board.top(query.limit, query.accept, hits)
    },
    bytes: () => byCreator.bytes() + byTopic.bytes() + byBoard.bytes() + boards.size * 56 + idCharacters,
    counts: () => ({ boards: boards.size }),
    save(writer) {
      byCreator.save(writer.under('creators'))
      byTopic.save(writer.under('topics'))
      byBoard.save(writer.under('boards'))
      writer.json('boards', [...boards])
    },
    load(reader) {
      byCreator.load(reader.under('creators'))
      byTopic.load(reader.under('topics'))
      byBoard.load(reader.under('boards'))
      boards.clear()
      idCharacters = 0
      for (const [boardId, list] of reader.json('boards') as [string, number][]) {
        boards.set(boardId, list)
        idCharacters += boardId.length
      }
    },
  }
}
