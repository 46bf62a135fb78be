import { actions, positiveActions } from '@freshet/domain/engagement'
import { dwellWeight } from '@freshet/domain/features/dwell'
import { standingRows } from '@freshet/domain/features/standing'
import { hash32 } from '@freshet/domain/hash'

import type { Catalogue } from '../views/catalogue.ts'
import { nextCapacity } from '@freshet/columns/growth'
import { createDislikeFactor } from './dislikes.ts'
import type { Asker, IndexReading, NeighbourIndex } from '../neighbours/neighbour-index.ts'
import type { GraphView } from '../graph/graph-view.ts'
import type { RetrieveQuery } from '../question.ts'
import { createRowFilter, type RowFilter } from './row-filter.ts'
import type { SourceQuery } from '../source.ts'
import { createShownView, type ShownView } from '../sweep/shown-pins.ts'

// The merge divides a source's scores by their sum, so the sum must not depend on the limit of the request.
const unlimited = 0x7fffffff

/** What a request found out about a row: it names the row as excluded, it accepts it, or it does not. */
const excluded = 1
const accepted = 2
const refused = 3
/** Four times this number is one past what the column holds. */
const mostRequests = 2 ** 29

/** A look of this time or more counts in full, milliseconds. */
const fullDwellMs = 3_000

/** Turns requests into queries by row. The next request reuses its columns. */
export interface QueryBuilder {
  /** `gathered`: the index of all users, if this process holds only a shard of it. */
  build(request: RetrieveQuery, gathered?: IndexReading | null): SourceQuery
  /** The pins that the user of the last request was shown. */
  readonly shown: ShownView
}

/** A builder over the shared views. */
export function createQueryBuilder({
  catalogue,
  index,
  config,
  graph = () => undefined,
}: {
  /** Knows which pins are on a board; undefined: no source keeps a graph, so filters by board accept no pin. */
  readonly graph?: () => GraphView | undefined
  readonly catalogue: Catalogue
  readonly index: NeighbourIndex
  readonly config: { readonly maxRecentActions: number; readonly sessionGapMs: number }
}): QueryBuilder {
  const shown = createShownView(catalogue)
  const room = config.maxRecentActions + 1
  const recentRows = new Int32Array(room)
  const recentAtMs = new Float64Array(room)
  const recentActions = new Uint8Array(room)
  const recentWeights = new Float64Array(room)
  const recentPlaces = new Int32Array(room)
  let recentBoards: (string | null)[] = []
  // By row, the number of the request that found out about it last, times four, plus what it found.
  let verdicts = new Int32Array(0)
  // A row is wanted if its mark equals the request's number.
  let wanted = new Int32Array(0)
  let number = 0
  const blockedCreators = new Set<number>()
  const blockedTopics = new Set<number>()
  let onlyWanted = false
  let excludedHashes: Uint32Array = noHashes
  let filter: RowFilter | null = null
  let atSeconds = 0
  let locales: Uint8Array | null = null
  // Few users have blocks by hash, so names are hashed at each check.
  let blockedCreatorHashes: ReadonlySet<number> = new Set()
  let blockedTopicHashes: ReadonlySet<number> = new Set()

  function isEligible(row: number): boolean {
    if (verdicts[row] === 4 * number + excluded || !catalogue.isShown(row)) return false
    if (!catalogue.isAvailable(row, atSeconds)) return false
    if (filter !== null && !filter.accepts(row)) return false
    if (locales !== null && locales[catalogue.localeOf(row)] !== 1) return false
    if (onlyWanted && wanted[row] !== number) return false
    if (blockedCreators.size > 0 && blockedCreators.has(catalogue.creatorOf(row))) return false
    if (blockedTopics.size > 0) {
      for (let i = catalogue.topicCountOf(row) - 1; i >= 0; i--)
        if (blockedTopics.has(catalogue.topicOf(row, i))) return false
    }
    if (blockedCreatorHashes.size > 0) {
      const creator = catalogue.creatorOf(row)
      if (creator >= 0 && blockedCreatorHashes.has(hash32(catalogue.creatorIdOf(creator)))) return false
    }
    if (blockedTopicHashes.size > 0) {
      for (let i = catalogue.topicCountOf(row) - 1; i >= 0; i--)
        if (blockedTopicHashes.has(hash32(catalogue.topicIdOf(catalogue.topicOf(row, i))))) return false
    }
    return excludedHashes.length === 0 || !holds(excludedHashes, catalogue.hashOf(row))
  }

  /** Many sources offer the same rows: the first call checks a row, later ones read what it found. */
  function accept(row: number): boolean {
    const found = verdicts[row]! - 4 * number
    if (found > 0) return found === accepted
    const accepts = isEligible(row) && !shown.has(row)
    verdicts[row] = 4 * number + (accepts ? accepted : refused)
    return accepts
  }

  /** Forgets the verdicts of the last request. */
  function beginRequest(): void {
    number++
    if (number === mostRequests) {
      verdicts.fill(0)
      wanted.fill(0)
      number = 1
    }
    if (verdicts.length < catalogue.size) {
      verdicts = new Int32Array(nextCapacity(verdicts.length, catalogue.size))
      wanted = new Int32Array(verdicts.length)
    }
  }

  return {
    shown,
    build(request, gathered = null) {
      beginRequest()
      shown.begin(request.shown ?? null)
      atSeconds = Math.floor(request.atMs / 1000)
      filter = request.filter ? createRowFilter(request.filter, { catalogue, graph: graph() }) : null
      mark(verdicts, request.exclude, { catalogue, number: 4 * number + excluded })
      excludedHashes = request.excludeHashes ?? noHashes
      onlyWanted = request.among !== undefined && request.among !== null
      mark(wanted, request.among ?? [], { catalogue, number })
      locales = request.locale ? catalogue.localesFor(request.locale) : null
      blockedCreators.clear()
      blockedTopics.clear()
      for (const creator of toRows(request.excludeCreators, catalogue.creatorRow)) blockedCreators.add(creator)
      for (const topic of toRows(request.excludeTopics, catalogue.topicRow)) blockedTopics.add(topic)
      blockedCreatorHashes = new Set(request.excludeCreatorHashes)
      blockedTopicHashes = new Set(request.excludeTopicHashes)

      const recent = request.recent ?? []
      const standing = standingRows({
        count: recent.length,
        action: (at) => recent[at]?.action ?? 'impression',
        pinId: (at) => recent[at]?.pinId ?? '',
        boardId: (at) => recent[at]?.boardId ?? '',
      })
      const isLiked = (at: number): boolean =>
        standing[at] === 1 && positiveActions.includes(recent[at]?.action ?? 'impression')
      const pinRow = request.surface === 'related' && request.pinId ? catalogue.rowOf(request.pinId) : -1
      let count = 0
      let sessionStart = -1
      recentBoards = []
      const session = findSession(request, config.sessionGapMs)
      const asker: Asker | null =
        request.userId === null ? null : { userId: request.userId, sessionId: session.sessionId, atMs: request.atMs }
      // What is like an open pin does not depend on what else the user did; the ranker knows both.
      const first = pinRow >= 0 ? recent.length : firstOfLatest(recent.length, config.maxRecentActions, isLiked)
      for (let i = first; i < recent.length; i++) {
        const action = recent[i]
        if (action === undefined || !isLiked(i)) continue
        const row = catalogue.rowOf(action.pinId)
        if (row < 0) continue
        if (i >= session.from && sessionStart < 0) sessionStart = count
        recentRows[count] = row
        recentPlaces[count] = i
        recentAtMs[count] = action.occurredAtMs
        recentWeights[count] = dwellWeight(action.action === 'save' ? null : (action.dwellMs ?? null), fullDwellMs)
        recentActions[count++] = actions.indexOf(action.action)
        recentBoards.push(action.boardId)
      }
      if (sessionStart < 0) sessionStart = count
      if (pinRow >= 0) {
        verdicts[pinRow] = 4 * number + excluded
        recentRows[count] = pinRow
        recentPlaces[count] = -1
        recentAtMs[count] = request.atMs
        recentWeights[count] = 1
        recentActions[count++] = actions.indexOf('closeup')
        recentBoards.push(null)
      }
      return {
        surface: request.surface,
        atMs: request.atMs,
        userId: request.userId,
        pinRow,
        recentCount: count,
        recentRows,
        recentAtMs,
        recentActions,
        recentWeights,
        recentBoards,
        recentPlaces,
        sessionStart,
        asker,
        index: gathered ?? index.read(asker),
        locales,
        language: request.locale ? catalogue.languageFor(request.locale) : null,
        followedCreators: toRows(request.followedCreators, catalogue.creatorRow),
        followedTopics: toRows(request.followedTopics, catalogue.topicRow),
        followedBoards: request.followedBoards ?? [],
        amongRows: request.among ? toRows(request.among, catalogue.rowOf) : null,
        refusedCount: countRefused(request),
        filter,
        limit: unlimited,
        liking:
          request.surface === 'home' ? createDislikeFactor(recent, standing, { catalogue, atMs: request.atMs }) : null,
        accept,
        isEligible,
      }
    },
  }
}

function firstOfLatest(count: number, maxLiked: number, isLiked: (at: number) => boolean): number {
  let liked = 0
  for (let i = count - 1; i >= 0; i--) if (isLiked(i) && ++liked === maxLiked) return i
  return 0
}

/** Finds where in `recent` the current session begins, and its id if it has one. */
function findSession(
  request: RetrieveQuery,
  sessionGapMs: number,
): { readonly from: number; readonly sessionId: string | null } {
  const recent = request.recent ?? []
  const last = recent.at(-1)
  const sessionId = request.sessionId ?? last?.sessionId ?? null
  let from = recent.length
  let nextAtMs = request.atMs
  while (from > 0) {
    const action = recent[from - 1]
    if (action === undefined) break
    if (sessionId !== null ? action.sessionId !== sessionId : nextAtMs - action.occurredAtMs > sessionGapMs) break
    nextAtMs = action.occurredAtMs
    from--
  }
  return { from, sessionId }
}

function mark(
  column: Int32Array,
  pinIds: readonly string[] | undefined,
  { catalogue, number }: { readonly catalogue: Catalogue; readonly number: number },
): void {
  if (pinIds === undefined) return
  for (const pinId of pinIds) {
    const row = catalogue.rowOf(pinId)
    if (row >= 0) column[row] = number
  }
}

function countRefused(request: RetrieveQuery): number {
  const { exclude, excludeHashes, shown, excludeCreators, excludeTopics } = request
  const { excludeCreatorHashes, excludeTopicHashes } = request
  for (const blocked of [excludeCreators, excludeTopics, excludeCreatorHashes, excludeTopicHashes])
    if ((blocked?.length ?? 0) > 0) return Infinity
  const older = shown?.seenBefore.reduce((sum, generation) => sum + generation.length, 0) ?? 0
  const recent = (shown?.seen.length ?? 0) + (shown?.served.length ?? 0)
  return (exclude?.length ?? 0) + (excludeHashes?.length ?? 0) + recent + older
}

const noHashes = new Uint32Array(0)

function holds(ascending: Uint32Array, hash: number): boolean {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! < hash) low = middle + 1
    else high = middle
  }
  return ascending[low] === hash
}

function toRows(ids: readonly string[] | undefined, rowOf: (id: string) => number): Int32Array {
  if (ids === undefined || ids.length === 0) return new Int32Array(0)
  return Int32Array.from(ids, rowOf).filter((row) => row >= 0)
}
