import type { Clock } from '@freshet/domain/clock'
import { positiveActions, type Engagement } from '@freshet/domain/engagement'
import { closesBoard, type BoardChange } from '@freshet/domain/board'
import { closesCreator, type CreatorChange } from '@freshet/domain/creator'
import type { PinId, UserId } from '@freshet/domain/ids'
import type { PinChange } from '@freshet/domain/pin'

import { searchImages } from './query/image-search.ts'
import { createQueryRunner } from './query/query-runner.ts'
import { createAddressCaps } from './views/address-caps.ts'
import { bytesPer, maxBytes, type BytesPer } from './views/caps.ts'
import { createCatalogue } from './views/catalogue.ts'
import { resolveRetrievalConfig, type RetrievalConfig, type RetrievalConfigInput } from './config.ts'
import { createEmbeddingModels, type EmbeddingModel } from './embeddings/embedding-models.ts'
import { embeddingProblem } from './embeddings/embedding-problem.ts'
import { createEnabledSources } from './query/enabled-sources.ts'
import { SnapshotError } from '@freshet/columns/errors'
import { EmbeddingError } from './errors.ts'
import { createFeatures } from './merge/features.ts'
import { createGraphView, type GraphView } from './graph/graph-view.ts'
import { createMergeLearner, type TrainingExample } from './merge/merge-learner.ts'
import { mergeIndex, type GatheredIndex } from './neighbours/gathering.ts'
import { findIndexWanted, type IndexWanted } from './neighbours/index-wanted.ts'
import { readPart, readTally, type ListPart, type ListTally, type ListWanted } from './neighbours/list-part.ts'
import { createNeighbourIndex, listNames, type ListName } from './neighbours/neighbour-index.ts'
import type { Shard } from './neighbours/shard.ts'
import { createQueryBuilder } from './query/query.ts'
import type { RecentAction, RetrievedCandidates, RetrieveQuery } from './question.ts'
import { createRates } from './views/rates.ts'
import type { RowHolder } from './views/recycling.ts'
import { createSaves } from './views/saves.ts'
import { createScoreBoard } from '@freshet/columns/score-board'
import type { WithdrawnEngagement } from './source.ts'
import { createSweep } from './sweep/sweep.ts'
import {
  decodeSnapshot,
  finished,
  snapshotSteps,
  type SectionWriter,
  type SnapshotSteps,
} from '@freshet/columns/snapshot'
import { createStack } from './merge/stack.ts'

/** A row of `pin-embeddings.v1`; a null vector withdraws the embedding. */
export interface EmbeddingUpdate {
  readonly pinId: PinId
  readonly vector: Float32Array | null
  /** The model that made the vector; absent: not known. */
  readonly model?: EmbeddingModel
}

/** Bytes and counts of the views. */
export interface RetrievalStats {
  /** Pins that the catalogue's owner has described. */
  readonly pins: number
  /** Pins that the catalogue's owner has not described, known from engagements or embeddings. */
  readonly unlistedPins: number
  readonly sessions: number
  readonly sessionActions: number
  /** Pins refused because the catalogue is full. */
  readonly refusedPins: number
  /** Descriptions refused because there was no room for their creator, a topic or their locale. */
  readonly refusedWords: number
  /** Unlisted pins that the catalogue has dropped. */
  readonly expiredPins: number
  /** Events that wait for the next mark. */
  readonly pending: number
  /** Bytes by view: `catalogue`, the shard's `sessions` and `trails`, `rates`, `graph` if a source uses it, and each source by name. */
  readonly bytes: Readonly<Record<string, number>>
  /** Average bytes of one pin, session and action in the shared views; 0 while there are none. */
  readonly bytesPer: BytesPer
  /** The most bytes that the configured caps allow the shared views. */
  readonly maxBytes: Readonly<Record<'catalogue' | 'sessions' | 'trails', number>>
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** The views folded from the topics, and the query over them. Everything is synchronous: folds are small, queries do not wait. */
export interface Retrieval {
  /** Enabled sources, in the order of answers. */
  readonly sourceNames: readonly string[]
  foldEngagement(engagement: Engagement): void
  /** Forgets a user's sessions and trail at once, with any `refresh`; counts over all users keep what the user added. */
  foldErasure(userId: UserId): void
  foldPin(change: PinChange): void
  /** Finds no pins of a suspended or deleted creator until a change lifts that. */
  foldCreator(change: CreatorChange): void
  /** Drops what a secret or deleted board links, and links nothing by it until a change opens it. What it linked before does not come back. */
  foldBoard(change: BoardChange): void
  /** Folds the valid embeddings and returns an EmbeddingError for each malformed one. Widths may differ, see `EmbeddingView`. */
  foldEmbeddings(updates: readonly EmbeddingUpdate[]): readonly EmbeddingError[]
  /** The models of the embeddings that a query searches: none where none of its sources searches embeddings of the topic. */
  embeddingModels(query: Pick<RetrieveQuery, 'sources'>): readonly EmbeddingModel[]
  /** With `refresh: mark`, folds the events that wait for the mark. */
  mark(): void
  /** The parts of the neighbour index that a request will read, for `gatherIndex`. */
  indexWanted(query: RetrieveQuery): IndexWanted
  /** This process's part of the index. */
  listPart(wanted: Omit<ListWanted, 'countedPinIds'>): ListPart
  listTally(list: ListName, pinIds: readonly PinId[]): ListTally
  /** Finds candidates; without a `gathered` index it reads the index that this process holds. */
  retrieve(query: RetrieveQuery, gathered?: GatheredIndex | null): RetrievedCandidates
  /** For each pin a hash of the board that it was saved to last, see `GraphView.lastBoardOf`; null: no source keeps boards. */
  boardsOf(pinIds: readonly PinId[]): Uint32Array | null
  /** On a shard: makes the training example of an engagement before it is folded; null if it teaches nothing. A whole instance returns null: it learns as it folds. */
  trainingExample(engagement: Engagement): TrainingExample | null
  /** Learns from a training example and returns the numbers that the other shards learn from: the rank of the pin in each source. */
  learn(example: TrainingExample, gathered: GatheredIndex): Int32Array
  /** Learns from the numbers of another shard. */
  learnRanks(ranks: Int32Array): void
  stats(): RetrievalStats
  /** Describes for an operator which views are full; null if none is. */
  full(): string | null
  /** Serialises all views together with the caller's log positions. */
  snapshot(positions: Uint8Array): Uint8Array
  /** The same in short steps. The caller must not fold anything before the first step that is not `copying`; queries are allowed. */
  snapshotSteps(positions: Uint8Array): SnapshotSteps
  /** Restores the views from a snapshot and returns its log positions. If it throws a SnapshotError, create new views and replay the log. */
  restore(bytes: Uint8Array): Uint8Array
}

/** The options of a Retrieval. */
export interface RetrievalOptions {
  readonly config?: RetrievalConfigInput
  /** Orders ties and seeds the random draws of sources. */
  readonly seed: number
  /** `event`: each fold changes the views. `mark`: engagements and embeddings wait for `mark()`; catalogue changes never wait. */
  readonly refresh: 'event' | 'mark'
  /** Measures how long a request takes. Without a clock no source is skipped and the same query always has the same answer. */
  readonly clock?: Pick<Clock, 'now'>
  /** Whose part of the neighbour index it holds; absent: the index of all users. All other views cover all users on every shard. */
  readonly shard?: Shard
  /** The most rows of gone pins that wait for reuse; default: a sixteenth of `maxPins`. */
  readonly spareRows?: number
}

/** Creates empty views. Throws a RetrievalConfigError for an invalid configuration. */
export function createRetrieval({
  config: input,
  seed,
  refresh,
  clock,
  shard = { index: 0, count: 1 },
  spareRows: givenSpareRows,
}: RetrievalOptions): Retrieval {
  const config = resolveRetrievalConfig(input)
  const spareRows = givenSpareRows ?? Math.max(1024, config.maxPins >> 4)
  const catalogue = createCatalogue({ ...config, seed, spareRows, holders, onUndescribe, onGone })
  const index = createNeighbourIndex({ ...config, isGone: catalogue.isGone }, shard)
  const board = createScoreBoard(catalogue)
  let graphView: GraphView | undefined
  const graph = (): GraphView =>
    (graphView ??= createGraphView({ catalogue, caps: { ...config, maxPins: config.maxPins + spareRows + 1 } }))
  const rates = createRates()
  const { enabled, calibrations } = createEnabledSources(config, { catalogue, board, seed, graph, rates })
  const features = createFeatures({ enabled, catalogue, board, rates })
  const stacks = {
    closed: createStack(features.width),
    open: createStack(features.width),
    among: createStack(features.width),
  }
  const saves = createSaves(config)
  const addresses = createAddressCaps(config)
  const queries = createQueryBuilder({ catalogue, index, config, graph: () => graphView })
  const sweep = createSweep({ catalogue, shown: queries.shown, seed, maxSteps: config.maxSweepSteps })
  const runner = createQueryRunner({ enabled, calibrations, stacks, features, catalogue, board, sweep, clock })
  const learner = createMergeLearner({
    enabled,
    calibrations,
    stacks,
    features,
    rates,
    catalogue,
    board,
    index,
    queries,
  })
  const isWhole = shard.count === 1
  // 0: the most common width among the vectors.
  const embeddingWidth = Number(config.sources['pin2vec']?.parameters['dimensions'] ?? 0)
  const models = createEmbeddingModels()
  let pendingEngagements: Engagement[] = []
  let pendingEmbeddings: EmbeddingUpdate[] = []
  let newestMs = -Infinity

  function holders(): readonly RowHolder[] {
    const ofSources = enabled.flatMap(({ source }) => source.holders ?? [])
    return [...index.holders, ...(graphView === undefined ? [] : [graphView.holder]), ...ofSources]
  }

  function onUndescribe(row: number): void {
    for (const { source } of enabled) source.undescribe?.(row)
  }

  function onGone(row: number): void {
    index.letGo(row)
    graphView?.letGo(row)
    sweep.ring.remove(row)
    for (const { source } of enabled) source.letGo?.(row)
    rates.forget(row)
    addresses.letGo(row)
  }

  function applyEngagement(engagement: Engagement, teaches: boolean): void {
    const { subject, action, userId, sessionId, boardId, occurredAtMs: atMs, sourceTag = 0 } = engagement
    const act = subject.kind === 'pin' ? { userId, pinId: subject.pinId, boardId, atMs, sourceTag } : null
    const isSave = act !== null && action === 'save'
    if (isSave && saves.isWithdrawn(act)) return
    if (teaches) learnFrom(engagement, [])
    newestMs = Math.max(newestMs, atMs)
    const row = subject.kind === 'pin' ? catalogue.intern(subject.pinId, newestMs) : -1
    const positive = row >= 0 && positiveActions.includes(action)
    // A pin known only from engagements may be known only from hides.
    if (positive && catalogue.isShown(row)) sweep.ring.add(row)
    if (positive) index.fold({ userId, sessionId, pinRow: row, atMs })
    const first = graphView?.foldEngagement({ engagement, row, positive }) ?? (positive ? 'counted' : 'again')
    const isCounted = first === 'counted' && isAdmitted(engagement, row)
    const novelty = first === 'counted' && !isCounted ? 'new' : first
    if (isCounted) rates.fold(row, atMs)
    for (const { source } of enabled) source.foldEngagement?.({ engagement, row, positive, isCounted })
    if (isSave) saves.note(act, novelty)
    if (act !== null && action === 'unsave' && row >= 0) {
      const withdrawn = saves.withdraw(act)
      if (withdrawn.length > 0) withdraw({ engagement, row, saves: withdrawn })
    }
  }

  /** Whether a user counts for a pin, as far as the other users of the same address go. */
  function isAdmitted(engagement: Engagement, row: number): boolean {
    const { userId, sourceTag, occurredAtMs: atMs } = engagement
    if (sourceTag === undefined) return true
    const admission = addresses.admit({ userId, row, sourceTag, atMs })
    if (typeof admission === 'number') uncount({ engagement, row, saves: [], uncounted: [admission] })
    return admission !== 'refused'
  }

  function withdraw(withdrawn: Omit<WithdrawnEngagement, 'uncounted'>): void {
    const { row, saves: taken } = withdrawn
    const { userId } = withdrawn.engagement
    index.withdraw(userId, row, taken)
    // While the pin stays in the trail because of another action, the user goes on counting, since the first one.
    const isLeft = graphView?.withdraw(userId, row, taken) ?? true
    const counted = isLeft ? taken.filter(({ isCounted }) => isCounted) : []
    const left = counted.filter((save) => save.sourceTag === 0 || addresses.withdraw({ userId, row, ...save }))
    uncount({ ...withdrawn, uncounted: left.map(({ atMs }) => atMs) })
  }

  function uncount(withdrawn: WithdrawnEngagement): void {
    for (const atMs of withdrawn.uncounted) rates.take(withdrawn.row, atMs)
    for (const { source } of enabled) source.withdraw?.(withdrawn)
  }

  function learnFrom(engagement: Engagement, waiting: readonly RecentAction[]): void {
    const example = config.adaptShares && isWhole ? learner.toExample(engagement, waiting) : null
    if (example !== null) learner.learn(learner.examine(example, null))
  }

  /** Between marks, queries read the views as of the last mark, so training examples do too. */
  function learnFromPending(): void {
    const waiting = new Map<UserId, RecentAction[]>()
    for (const engagement of pendingEngagements) {
      const { userId, subject, action, sessionId, boardId, occurredAtMs } = engagement
      const done = waiting.get(userId) ?? []
      learnFrom(engagement, done)
      if (subject.kind !== 'pin' || !positiveActions.includes(action)) continue
      waiting.set(userId, done)
      done.push({ pinId: subject.pinId, action, occurredAtMs, sessionId, boardId })
    }
  }

  function snapshotParts(positions: Uint8Array): ((writer: SectionWriter) => void)[] {
    return [
      (writer) => {
        writer.json('config', fingerprint(config, seed, shard))
        writer.u8('positions', positions)
        writer.f64('newestMs', Float64Array.of(newestMs))
        catalogue.save(writer.under('catalogue'))
        sweep.ring.save(writer.under('sweep'))
        saves.save(writer.under('saves'))
        addresses.save(writer.under('addresses'))
        rates.save(writer.under('rates'))
        learner.save(writer.under('learning'))
        models.save(writer.under('embeddings'))
      },
      ...index.saving,
      (writer) => graphView?.save(writer.under('graph')),
      ...enabled.map(
        ({ source }) =>
          (writer: SectionWriter) =>
            source.save(writer.under(`source:${source.name}`)),
      ),
    ]
  }

  function applyEmbedding({ pinId, vector, model }: EmbeddingUpdate): void {
    const row = vector === null ? catalogue.rowOf(pinId) : catalogue.intern(pinId, newestMs)
    if (row < 0) return
    if (model !== undefined) models.note(model)
    for (const { source } of enabled) source.foldEmbedding?.(row, vector, model?.space ?? '')
  }

  return {
    sourceNames: enabled.map(({ source }) => source.name),
    foldEngagement(engagement) {
      if (refresh === 'mark') pendingEngagements.push(engagement)
      else applyEngagement(engagement, true)
    },
    foldErasure(userId) {
      pendingEngagements = pendingEngagements.filter((engagement) => engagement.userId !== userId)
      index.forget(userId)
      saves.forget(userId)
      addresses.forget(userId)
      graphView?.forget(userId)
    },
    foldPin(change) {
      const row = change.kind === 'upsert' ? catalogue.upsert(change.pin) : catalogue.remove(change.pinId)
      // The row is -1 for a removed pin and for a pin that found no room.
      if (row < 0) return
      if (change.kind === 'upsert') sweep.ring.add(row)
      else sweep.ring.remove(row)
      graphView?.foldPin(row, change)
      for (const { source } of enabled) source.foldPin?.(row, change)
    },
    foldCreator(change) {
      const creatorId = change.kind === 'delete' ? change.creatorId : change.creator.creatorId
      for (const row of catalogue.closeCreator(creatorId, closesCreator(change)))
        for (const { source } of enabled) source.foldShown?.(row)
    },
    foldBoard(change) {
      graphView?.closeBoard(change.kind === 'delete' ? change.boardId : change.board.boardId, closesBoard(change))
    },
    foldEmbeddings(updates) {
      const problems: EmbeddingError[] = []
      for (const update of updates) {
        const code = update.vector === null ? null : embeddingProblem(update.vector, embeddingWidth)
        if (code !== null) problems.push(new EmbeddingError(code, `the embedding of pin ${update.pinId} is refused`))
        else if (refresh === 'mark') pendingEmbeddings.push(update)
        else applyEmbedding(update)
      }
      return problems
    },
    embeddingModels({ sources }) {
      const searches = enabled.some(
        ({ source }) => source.foldEmbedding !== undefined && sources?.includes(source.name) !== false,
      )
      return searches ? models.current() : []
    },
    mark() {
      // Before the first mark the views are empty, so each of its events teaches from the events before it.
      const isFirst = index.sessions.size === 0
      if (!isFirst) learnFromPending()
      for (const engagement of pendingEngagements) applyEngagement(engagement, isFirst)
      for (const update of pendingEmbeddings) applyEmbedding(update)
      pendingEngagements = []
      pendingEmbeddings = []
      for (const { source } of enabled) source.mark?.()
    },
    indexWanted(request) {
      const reads = enabled.flatMap(({ source }) =>
        request.sources?.includes(source.name) === false || source.reads === undefined ? [] : [source.reads],
      )
      return findIndexWanted(queries.build(request), reads, catalogue)
    },
    listPart: (wanted) => readPart({ catalogue, index }, wanted),
    listTally: (list, pinIds) => readTally({ catalogue, index }, list, pinIds),
    retrieve(request, gathered = null) {
      const reading = gathered === null ? null : mergeIndex(gathered, catalogue)
      const { image } = request
      if (image != null)
        return searchImages({ image, query: queries.build(request, reading), request }, { enabled, catalogue, clock })
      const isComplete = gathered === null || listNames.every((list) => gathered[list].isComplete)
      return runner.run({ request, query: queries.build(request, reading), isComplete })
    },
    boardsOf(pinIds) {
      const boards = graphView
      if (boards === undefined) return null
      return Uint32Array.from(pinIds, (pinId) => {
        const row = catalogue.rowOf(pinId)
        return row < 0 ? 0 : boards.lastBoardOf(row)
      })
    },
    trainingExample: (engagement) =>
      config.adaptShares && !isWhole && refresh === 'event' ? learner.toExample(engagement) : null,
    learn(example, gathered) {
      const numbers = learner.examine(example, mergeIndex(gathered, catalogue))
      learner.learn(numbers)
      return numbers
    },
    learnRanks: (ranks) => learner.learn(ranks),
    stats() {
      const named = enabled.map(({ source }) => source)
      const pins = catalogue.counts()
      return {
        pins: pins.listed,
        unlistedPins: pins.unlisted,
        sessions: index.sessions.size,
        sessionActions: index.sessions.actions,
        refusedPins: pins.refused,
        refusedWords: pins.refusedWords,
        expiredPins: pins.expired,
        pending: pendingEngagements.length + pendingEmbeddings.length,
        bytes: {
          catalogue: catalogue.bytes(),
          sweep: sweep.ring.bytes(),
          saves: saves.bytes(),
          addresses: addresses.bytes(),
          sessions: index.sessions.bytes(),
          trails: index.trails.bytes(),
          rates: rates.bytes(),
          ...(graphView ? { graph: graphView.bytes() } : {}),
          ...Object.fromEntries(named.map((source) => [source.name, source.bytes()])),
        },
        bytesPer: bytesPer(catalogue, index.sessions),
        maxBytes: maxBytes(config),
        counts: {
          ...(graphView ? { graph: graphView.counts() } : {}),
          ...Object.fromEntries(named.map((source) => [source.name, source.counts?.() ?? {}])),
        },
      }
    },
    full() {
      const { listed, refused, refusedWords, unclosedCreators } = catalogue.counts()
      const unclosedBoards = graphView?.counts()['unclosedBoards'] ?? 0
      const words = `maxCreators, maxTopics and maxLocales`
      const problems = [
        ...(refused > 0 ? [`${refused} pins found no room beside ${listed} (maxPins is ${config.maxPins})`] : []),
        ...(refusedWords > 0 ? [`${refusedWords} pins are not shown: no room for their words (${words})`] : []),
        ...(unclosedCreators > 0
          ? [
              `${unclosedCreators} suspended or deleted creators found no room (maxCreators); their pins are found in vain`,
            ]
          : []),
        ...(unclosedBoards > 0
          ? [`${unclosedBoards} secret or deleted boards found no room (maxBoards), so no board links pins any more`]
          : []),
      ]
      return problems.length === 0 ? null : problems.join('; ')
    },
    snapshot: (positions) => finished(snapshotSteps(snapshotParts(positions))),
    snapshotSteps: (positions) => snapshotSteps(snapshotParts(positions)),
    restore(bytes) {
      const reader = decodeSnapshot(bytes)
      if (reader.json('config') !== fingerprint(config, seed, shard)) {
        throw new SnapshotError(
          'SNAPSHOT_OTHER_CONFIG',
          'the snapshot was made with other settings of views and sources',
        )
      }
      newestMs = reader.f64('newestMs')[0] ?? -Infinity
      catalogue.load(reader.under('catalogue'))
      sweep.ring.load(reader.under('sweep'))
      saves.load(reader.under('saves'))
      addresses.load(reader.under('addresses'))
      rates.load(reader.under('rates'))
      learner.load(reader.under('learning'))
      models.load(reader.under('embeddings'))
      index.load(reader)
      graphView?.load(reader.under('graph'))
      for (const { source } of enabled) source.load(reader.under(`source:${source.name}`))
      return reader.u8('positions')
    },
  }
}

/** Raise it when a view writes other sections or means something else by them, so that the views are folded again instead of the snapshot being called corrupt. */
const viewLayout = 5

function fingerprint(config: RetrievalConfig, seed: number, shard: Shard): string {
  const sources = Object.entries(config.sources).flatMap(([name, { enabled, parameters }]) =>
    enabled ? [{ name, parameters }] : [],
  )
  return JSON.stringify({ ...config, sources, seed, shard, layout: viewLayout })
}
