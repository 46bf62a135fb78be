import { createNewest } from '../newest.ts'
import type { SharedViews, Source, SourceDefinition } from '../source.ts'

/** Parameters of the fresh source. */
export type FreshFollowedParameters = {
  /** Newest pins kept of one creator, topic or board. */
  readonly maxPinsEach: number
  /** Boards with a list of their own; saves to further ones are not kept. */
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
  enabled: true,
  maxCandidates: 100,
  share: 1,
  parameters: {
    maxPinsEach: 50,
    maxBoards: 1_000_000,
    halfLifeMs: 2 * dayMs,
    maxAgeMs: 14 * dayMs,
    newestProbability: 0.02,
  },
  create: createFreshFollowed,
}

function createFreshFollowed({ catalogue, board }: SharedViews, parameters: FreshFollowedParameters): Source {
  const { maxPinsEach, maxBoards, halfLifeMs, maxAgeMs, newestProbability } = parameters
  const byCreator = createNewest(catalogue, maxPinsEach)
  const byTopic = createNewest(catalogue, maxPinsEach)
  const byBoard = createNewest(catalogue, maxPinsEach)
  let boards = new Map<string, number>()
  let idCharacters = 0

  function boardRow(boardId: string): number {
    const known = boards.get(boardId)
    if (known !== undefined || boards.size >= maxBoards) return known ?? -1
    idCharacters += boardId.length
    boards.set(boardId, boards.size)
    return boards.size - 1
  }

  function offer(lists: typeof byCreator, key: number, atMs: number): void {
    const start = lists.startOf(key)
    for (let i = start + lists.countOf(key) - 1; i >= start; i--) {
      const row = lists.rows[i] ?? 0
      const ageMs = Math.max(0, atMs - (lists.atMs[i] ?? 0))
      if (ageMs > maxAgeMs) return
      const score = newestProbability * 2 ** (-ageMs / halfLifeMs)
      // A pin that is new in several lists counts once, as the newest of them.
      if (score > board.get(row)) board.add(row, score - board.get(row))
    }
  }

  return {
    name: 'fresh-followed',
    scale: 'probability',
    foldPin(row, change) {
      if (change.kind !== 'upsert' || change.pin.createdAtMs === null) return
      const creator = catalogue.creatorOf(row)
      if (creator >= 0) byCreator.put(creator, row, change.pin.createdAtMs)
      for (let i = 0; i < catalogue.topicCountOf(row); i++)
        byTopic.put(catalogue.topicOf(row, i), row, change.pin.createdAtMs)
    },
    foldEngagement({ engagement, row }) {
      if (row < 0 || engagement.action !== 'save' || engagement.boardId === null) return
      const list = boardRow(engagement.boardId)
      if (list >= 0) byBoard.put(list, row, engagement.occurredAtMs)
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
      writer.json('boardIds', [...boards.keys()])
    },
    load(reader) {
      byCreator.load(reader.under('creators'))
      byTopic.load(reader.under('topics'))
      byBoard.load(reader.under('boards'))
      boards = new Map()
      idCharacters = 0
      for (const boardId of reader.json('boardIds') as string[]) boardRow(boardId)
    },
  }
}
