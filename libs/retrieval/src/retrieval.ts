import type { Clock } from '@freshet/domain/clock'
import { positiveActions, type Action, type Engagement } from '@freshet/domain/engagement'
import type { BoardId, CreatorId, PinId, SessionId, TopicId, UserId } from '@freshet/domain/ids'
import type { PinChange } from '@freshet/domain/pin'

import { bytesPer, maxBytes, type BytesPer } from './caps.ts'
import { createCalibration } from './calibration.ts'
import { createCatalogue } from './catalogue.ts'
import { resolveRetrievalConfig, type RetrievalConfig, type RetrievalConfigInput } from './config.ts'
import { embeddingProblem } from './embedding-problem.ts'
import { EmbeddingError, SnapshotError } from './errors.ts'
import { evidenceOf } from './evidence.ts'
import { mergeHits } from './merge.ts'
import { createGraphView, type GraphView } from './graph/graph-view.ts'
import { createQueryBuilder } from './query.ts'
import { createInterruption, uninterrupted } from './interruption.ts'
import { createLagReader } from './lags.ts'
import { lessonOf } from './lessons.ts'
import { mergeTrails, type GatheredTrails } from './neighbours/merged-trails.ts'
import {
  holdsUser,
  trailPartOf,
  trailTallyOf,
  type Shard,
  type TrailPart,
  type TrailTally,
  type TrailsWanted,
} from './neighbours/trail-part.ts'
import { createHits, createScoreBoard, type Hits } from './score-board.ts'
import { createSessions, userKeyOf } from './sessions.ts'
import { decodeSnapshot, finished, snapshotSteps, type SectionWriter, type SnapshotSteps } from './snapshot.ts'
import { sourceDefinitions } from './source-definitions.ts'
import type { Source } from './source.ts'

/** Of what a user did: one entry of the user's own history, as the user state holds it. */
export interface RecentAction {
  readonly pinId: PinId
  readonly action: Action
  readonly occurredAtMs: number
  readonly sessionId: SessionId | null
  readonly boardId: BoardId | null
}

/** A request for candidates. Absent lists are empty. */
export interface RetrieveQuery {
  readonly surface: 'home' | 'related'
  /** The time of asking, milliseconds. */
  readonly atMs: number
  readonly userId: UserId | null
  /** The session the request is of; without it, the session of the user's last action, or what the gap rule says. */
  readonly sessionId?: SessionId | null
  /** The pin that related pins are asked for; null on the home feed. */
  readonly pinId?: PinId | null
  /** The user's own recent actions, any action, oldest first. */
  readonly recent?: readonly RecentAction[]
  /** Pins that must not be in the answer. */
  readonly exclude?: readonly PinId[]
  readonly excludeCreators?: readonly CreatorId[]
  readonly excludeTopics?: readonly TopicId[]
  /** Answer from these pins only. */
  readonly among?: readonly PinId[] | null
  readonly locale?: string | null
  readonly followedCreators?: readonly CreatorId[]
  readonly followedTopics?: readonly TopicId[]
  readonly followedBoards?: readonly BoardId[]
  /** The most candidates wanted. */
  readonly limit: number
  /** Sources whose turn comes later than this after the start are left out, one that is under way breaks off, milliseconds; beside each one's own. */
  readonly deadlineMs?: number | null
  /** Ask these sources only; all enabled ones where absent. A name that is no enabled source is ignored. */
  readonly sources?: readonly string[] | null
}

/** What one source gave: which of the answer's candidates, their scores and ranks (from 1) in it. Columns of equal length, best first. */
export interface SourceCandidates {
  readonly name: string
  readonly candidates: Int32Array
  readonly scores: Float32Array
  readonly ranks: Int32Array
}

/** Candidates in columns, best merged score first, and for each source which of them it found. */
export interface RetrievedCandidates {
  readonly pinIds: readonly PinId[]
  readonly scores: Float32Array
  readonly sources: readonly SourceCandidates[]
  /** Sources that were left out because the request had already taken too long. */
  readonly skipped: readonly string[]
  /** Sources that broke off because it took too long; what they had found by then is among the candidates. */
  readonly interrupted: readonly string[]
  /** Sources that read trails of which a shard gave nothing; what the others hold is among the candidates. */
  readonly incomplete: readonly string[]
}

/** A row of `pin-embeddings.v1`; a null vector withdraws the embedding. */
export interface EmbeddingUpdate {
  readonly pinId: PinId
  readonly vector: Float32Array | null
}

/** Bytes and counts of the views. */
export interface RetrievalStats {
  readonly pins: number
  readonly sessions: number
  readonly sessionActions: number
  /** Pins refused because the catalogue is full. */
  readonly refusedPins: number
  /** Events that wait for the next mark. */
  readonly pending: number
  /** Bytes by view: `catalogue`, `sessions`, `trails`, `graph` where a source has one, and each source by name. */
  readonly bytes: Readonly<Record<string, number>>
  /** What one pin, session and action of the shared views costs, bytes on average; 0 while there are none. */
  readonly bytesPer: BytesPer
  /** What the caps in the configuration allow the shared views, bytes. */
  readonly maxBytes: Readonly<Record<'catalogue' | 'sessions' | 'trails', number>>
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** The views of the topics and the question asked of them. Synchronous: a fold is small, a query does not wait. */
export interface Retrieval {
  /** Enabled sources, in the order of answers. */
  readonly sourceNames: readonly string[]
  foldEngagement(engagement: Engagement): void
  /** Lets go of a user's sessions and trail, whatever the refresh; what was counted of them among everybody's stays counted. */
  foldErasure(userId: UserId): void
  foldPin(change: PinChange): void
  /** Folds the good ones and gives an EmbeddingError for each malformed one; the first vector sets the width of all. */
  foldEmbeddings(updates: readonly EmbeddingUpdate[]): readonly EmbeddingError[]
  /** Brings collective knowledge up to date where that is done at marks. */
  mark(): void
  /** What a request will read of all users' trails; for `gatherTrails`, where they are spread over shards. */
  trailsWanted(query: RetrieveQuery): TrailsWanted
  trailPart(pinIds: readonly PinId[], maxTrailsPerPin: number): TrailPart
  trailTally(pinIds: readonly PinId[]): TrailTally
  /** Without `gathered` trails are those that this process holds. */
  retrieve(query: RetrieveQuery, gathered?: GatheredTrails | null): RetrievedCandidates
  stats(): RetrievalStats
  /** All views as bytes, with the caller's log positions inside. */
  snapshot(positions: Uint8Array): Uint8Array
  /** The same in short steps. Nothing may be folded before the first step that is not `copying`; questions may be asked. */
  snapshotSteps(positions: Uint8Array): SnapshotSteps
  /** Takes the views over from a snapshot and gives its log positions. Throws a SnapshotError; then the views must be made anew and the log replayed. */
  restore(bytes: Uint8Array): Uint8Array
}

/** How a Retrieval is made. */
export interface RetrievalOptions {
  readonly config?: RetrievalConfigInput
  /** Orders ties and seeds what sources draw. */
  readonly seed: number
  /** `event`: knowledge changes with each fold. `mark`: engagements and embeddings wait for `mark()`; catalogue changes never wait. */
  readonly refresh: 'event' | 'mark'
  /** Tells how long a request has taken; without it no source is ever left out, and answers are the same every time. */
  readonly clock?: Pick<Clock, 'now'>
  /** Of which users it holds the trails; absent: of all. Everything else is of all users on every shard. */
  readonly shard?: Shard
}

/** Empty views. Throws a RetrievalConfigError for a configuration that can't be used. */
export function createRetrieval({
  config: input,
  seed,
  refresh,
  clock,
  shard = { index: 0, count: 1 },
}: RetrievalOptions): Retrieval {
  const config = resolveRetrievalConfig(input)
  const catalogue = createCatalogue({ maxPins: config.maxPins, seed })
  const sessions = createSessions({ ...config, grouping: 'session' })
  const trails = createSessions({ ...config, grouping: 'user' })
  const board = createScoreBoard(catalogue)
  let graphView: GraphView | undefined
  const graph = (): GraphView => (graphView ??= createGraphView({ catalogue, caps: config }))
  const views = { catalogue, sessions, board, seed, graph }
  const sources: {
    readonly source: Source
    readonly hits: Hits
    readonly share: number
    readonly scale: 'probability' | 'relative'
    readonly deadlineMs: number
  }[] = []
  for (const definition of sourceDefinitions) {
    const settings = config.sources[definition.name]
    if (settings === undefined || !settings.enabled) continue
    const source = definition.create(views, settings.parameters)
    sources.push({
      source,
      hits: createHits(settings.maxCandidates),
      share: settings.share,
      scale: source.scale ?? 'relative',
      deadlineMs: settings.deadlineMs,
    })
  }
  // A shard cannot tell while it folds what all of them would answer, and shards that learned apart would differ.
  const learns = config.adaptShares && shard.count === 1
  const calibration = createCalibration(
    sources.map(({ source: { name }, share, hits }) => ({ name, share, maxCandidates: hits.rows.length })),
  )
  const enabled = sources.map((entry, index) => ({ ...entry, worth: calibration.worthOf(index) }))
  const merged = createHits(enabled.reduce((sum, { hits }) => sum + hits.rows.length, 0))
  // Who comes back to a pin is counted of all users on every shard, from their pins alone, without a list of users by pin.
  const histories = shard.count === 1 ? trails : createSessions({ ...config, grouping: 'user', maxSessionsPerPin: 1 })
  const queries = createQueryBuilder({ catalogue, sessions, trails, config })
  const lags = createLagReader(histories)
  let pendingEngagements: Engagement[] = []
  let pendingEmbeddings: EmbeddingUpdate[] = []
  let places = new Int32Array(0)

  /** Asks all sources what the user would take, just before it is folded what that was. */
  function learnFrom(engagement: Engagement, row: number): void {
    const lesson = lessonOf(engagement, { row, samples: calibration.samples }, { catalogue, sessions, trails })
    if (lesson === null) return
    const query = queries.build(lesson)
    const answers = enabled.map(({ source, hits }, index) => {
      hits.count = 0
      source.query(query, hits, uninterrupted)
      return { source: index, hits }
    })
    calibration.learn(answers, row)
  }

  function applyEngagement(engagement: Engagement): void {
    const { subject, action } = engagement
    const row = subject.kind === 'pin' ? catalogue.intern(subject.pinId) : -1
    const positive = row >= 0 && positiveActions.includes(action)
    let folded = { engagement, row, positive, session: -1, lag: -1, distinctBefore: 0 }
    if (positive) {
      if (learns) learnFrom(engagement, row)
      const { userId, sessionId, occurredAtMs: atMs } = engagement
      const pinAction = { userId, sessionId, pinRow: row, atMs }
      folded = { ...folded, session: sessions.fold(pinAction), ...lags.read(userId, row) }
      if (holdsUser(shard, userId)) trails.fold(pinAction)
      if (histories !== trails) histories.fold(pinAction)
    }
    graphView?.foldEngagement(folded)
    for (const { source } of enabled) source.foldEngagement?.(folded)
  }

  function partsOf(positions: Uint8Array): ((writer: SectionWriter) => void)[] {
    return [
      (writer) => {
        writer.json('config', fingerprint(config, seed, shard))
        writer.u8('positions', positions)
        writer.json('embeddingWidth', embeddingWidth)
        catalogue.save(writer.under('catalogue'))
        calibration.save(writer.under('calibration'))
      },
      (writer) => sessions.save(writer.under('sessions')),
      (writer) => {
        trails.save(writer.under('trails'))
        if (histories !== trails) histories.save(writer.under('histories'))
      },
      (writer) => graphView?.save(writer.under('graph')),
      ...enabled.map(
        ({ source }) =>
          (writer: SectionWriter) =>
            source.save(writer.under(`source:${source.name}`)),
      ),
    ]
  }

  let embeddingWidth = 0
  function applyEmbedding({ pinId, vector }: EmbeddingUpdate): void {
    const row = vector === null ? catalogue.rowOf(pinId) : catalogue.intern(pinId)
    if (row < 0) return
    for (const { source } of enabled) source.foldEmbedding?.(row, vector)
  }

  return {
    sourceNames: enabled.map(({ source }) => source.name),
    foldEngagement(engagement) {
      if (refresh === 'mark') pendingEngagements.push(engagement)
      else applyEngagement(engagement)
    },
    foldErasure(userId) {
      pendingEngagements = pendingEngagements.filter((engagement) => engagement.userId !== userId)
      sessions.forget(userId)
      trails.forget(userId)
      if (histories !== trails) histories.forget(userId)
      graphView?.graph.removeBoard(userKeyOf(userId))
    },
    foldPin(change) {
      const row = change.kind === 'upsert' ? catalogue.upsert(change.pin) : catalogue.remove(change.pinId)
      if (row < 0) return
      graphView?.foldPin(row, change)
      for (const { source } of enabled) source.foldPin?.(row, change)
    },
    foldEmbeddings(updates) {
      const problems: EmbeddingError[] = []
      for (const update of updates) {
        const code = update.vector === null ? null : embeddingProblem(update.vector, embeddingWidth)
        if (code === null && update.vector !== null) embeddingWidth = update.vector.length
        if (code !== null) problems.push(new EmbeddingError(code, `the embedding of pin ${update.pinId} is refused`))
        else if (refresh === 'mark') pendingEmbeddings.push(update)
        else applyEmbedding(update)
      }
      return problems
    },
    mark() {
      for (const engagement of pendingEngagements) applyEngagement(engagement)
      for (const update of pendingEmbeddings) applyEmbedding(update)
      pendingEngagements = []
      pendingEmbeddings = []
      for (const { source } of enabled) source.mark?.()
    },
    trailsWanted(request) {
      const query = queries.build(request)
      const readers = enabled.flatMap(({ source }) =>
        request.sources?.includes(source.name) === false || source.trails === undefined ? [] : [source.trails],
      )
      const idsOf = (rows: Iterable<number>): PinId[] => Array.from(new Set(rows), (row) => catalogue.pinIdOf(row))
      return {
        pinIds: idsOf(readers.flatMap(({ pinsOf }) => pinsOf(query))),
        maxTrailsPerPin: Math.max(0, ...readers.map(({ maxPerPin }) => maxPerPin)),
        countedPinIds: idsOf(query.recentRows.subarray(0, query.recentCount)),
      }
    },
    trailPart: (pinIds, maxTrailsPerPin) => trailPartOf({ catalogue, trails }, pinIds, maxTrailsPerPin),
    trailTally: (pinIds) => trailTallyOf({ catalogue, trails }, pinIds),
    retrieve(request, gathered = null) {
      const startedAtMs = clock?.now() ?? 0
      const query = queries.build(request, gathered === null ? trails : mergeTrails(gathered, { catalogue, trails }))
      const asked: typeof enabled = []
      const skipped: string[] = []
      const interrupted: string[] = []
      const tookMs = (): number => (clock === undefined ? 0 : clock.now() - startedAtMs)
      for (const entry of enabled) {
        const { source, hits } = entry
        if (request.sources?.includes(source.name) === false) continue
        const deadlineMs = Math.min(entry.deadlineMs, request.deadlineMs ?? Infinity)
        if (tookMs() > deadlineMs) {
          skipped.push(source.name)
          continue
        }
        hits.count = 0
        const interruption = clock === undefined ? uninterrupted : createInterruption(() => tookMs() > deadlineMs)
        source.query(query, hits, interruption)
        if (interruption.happened) interrupted.push(source.name)
        asked.push(entry)
      }
      const incomplete =
        gathered?.complete === false
          ? asked.flatMap(({ source }) => (source.trails === undefined ? [] : [source.name]))
          : []
      const limit = Math.min(request.limit, merged.rows.length)
      const evidence = evidenceOf(query, query.trails)
      mergeHits(asked, { catalogue, board, evidence, learned: calibration.part }, { limit, hits: merged })
      if (places.length < catalogue.size) places = new Int32Array(Math.max(1024, 2 * catalogue.size)).fill(-1)
      for (let i = 0; i < merged.count; i++) places[merged.rows[i] ?? 0] = i
      const found = asked.map(({ source, hits }) => placed(source.name, hits, places))
      const pinIds: PinId[] = []
      for (let i = 0; i < merged.count; i++) {
        const row = merged.rows[i] ?? 0
        places[row] = -1
        pinIds.push(catalogue.pinIdOf(row))
      }
      return { pinIds, scores: merged.scores.slice(0, merged.count), sources: found, skipped, interrupted, incomplete }
    },
    stats() {
      const named = enabled.map(({ source }) => source)
      return {
        pins: catalogue.size,
        sessions: sessions.size,
        sessionActions: sessions.actions,
        refusedPins: catalogue.refused,
        pending: pendingEngagements.length + pendingEmbeddings.length,
        bytes: {
          catalogue: catalogue.bytes(),
          sessions: sessions.bytes(),
          trails: trails.bytes() + (histories === trails ? 0 : histories.bytes()),
          ...(graphView ? { graph: graphView.bytes() } : {}),
          ...Object.fromEntries(named.map((source) => [source.name, source.bytes()])),
        },
        bytesPer: bytesPer(catalogue, sessions),
        maxBytes: maxBytes(config),
        counts: {
          ...(graphView ? { graph: graphView.counts() } : {}),
          ...Object.fromEntries(named.map((source) => [source.name, source.counts?.() ?? {}])),
        },
      }
    },
    snapshot: (positions) => finished(snapshotSteps(partsOf(positions))),
    snapshotSteps: (positions) => snapshotSteps(partsOf(positions)),
    restore(bytes) {
      const reader = decodeSnapshot(bytes)
      if (reader.json('config') !== fingerprint(config, seed, shard)) {
        throw new SnapshotError('SNAPSHOT_OTHER_CONFIG', 'made under another configuration of views and sources')
      }
      embeddingWidth = reader.json('embeddingWidth') as number
      catalogue.load(reader.under('catalogue'))
      calibration.load(reader.under('calibration'))
      sessions.load(reader.under('sessions'))
      trails.load(reader.under('trails'))
      if (histories !== trails) histories.load(reader.under('histories'))
      graphView?.load(reader.under('graph'))
      for (const { source } of enabled) source.load(reader.under(`source:${source.name}`))
      return reader.u8('positions')
    },
  }
}

function fingerprint(config: RetrievalConfig, seed: number, shard: Shard): string {
  const sources = Object.entries(config.sources).flatMap(([name, { enabled, parameters }]) =>
    enabled ? [{ name, parameters }] : [],
  )
  return JSON.stringify({ ...config, sources, seed, shard })
}

function placed(name: string, hits: Hits, places: Int32Array): SourceCandidates {
  const candidates = new Int32Array(hits.count)
  const scores = new Float32Array(hits.count)
  const ranks = new Int32Array(hits.count)
  let count = 0
  for (let i = 0; i < hits.count; i++) {
    const place = places[hits.rows[i] ?? 0] ?? -1
    if (place < 0) continue
    candidates[count] = place
    scores[count] = hits.scores[i] ?? 0
    ranks[count++] = i + 1
  }
  return { name, candidates: candidates.slice(0, count), scores: scores.slice(0, count), ranks: ranks.slice(0, count) }
}
