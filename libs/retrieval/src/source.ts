import type { z } from 'zod'
import type { Engagement } from '@freshet/domain/engagement'
import type { PinChange } from '@freshet/domain/pin'

import type { EmbeddingView } from './embeddings/embedding-view.ts'
import type { Catalogue } from './views/catalogue.ts'
import type { GraphView } from './graph/graph-view.ts'
import type { RowFilter } from './query/row-filter.ts'
import type { Interruption } from './interruption.ts'
import type { Asker, IndexReading, ListName } from './neighbours/neighbour-index.ts'
import type { Rates } from './views/rates.ts'
import type { RowHolder } from './views/recycling.ts'
import type { WithdrawnSave } from './views/saves.ts'
import type { Hits, ScoreBoard } from '@freshet/columns/score-board'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** A source's own parameters: flat, each with its unit in its name. */
export type SourceParameters = Readonly<Record<string, number | boolean>>

/** The views that sources share. */
export interface SharedViews {
  readonly catalogue: Catalogue
  /** The live graph of pins, boards and users; it folds events only if a source requests it on creation. */
  readonly graph: () => GraphView
  /** Each pin's share of what users take, at several half-lives; each user counts once a pin only if a source requests the graph. */
  readonly rates: Rates
  /** Scratch for one query at a time; a source clears it before use. */
  readonly board: ScoreBoard
  /** Orders ties and seeds the random draws of sources. */
  readonly seed: number
}

/**
 * One way to find pins: its fold changes a view, its query reads the view. Folds are small, are pure functions of the
 * folded events, and do not depend on how the events of different users interleave. Queries are synchronous and make no
 * object per candidate.
 */
export interface Source {
  readonly name: string
  /** What the scores mean. `probability`: the probability that this is the user's next pin. `relative` (the default): parts of their sum. */
  readonly scale?: 'probability' | 'relative'
  /** The parts of `query.index` that the query reads, so that a request can gather them from shards; absent if it reads none. */
  readonly reads?: IndexRead
  /** Called after the shared views have folded the engagement, for any action and any subject. */
  foldEngagement?(folded: FoldedEngagement): void
  /** Forgets saves of a pin that a user took back, and users who no longer count; called in addition to `foldEngagement`. */
  withdraw?(withdrawn: WithdrawnEngagement): void
  /** Called after the catalogue has folded the pin; `row` is its row. */
  foldPin?(row: number, change: PinChange): void
  /** Called when a described pin was withheld because of its creator, or is shown again, so that it takes no place in lists, or has one again. */
  foldShown?(row: number): void
  /** Called before a pin's description changes or the pin is deleted: removes the pin from lists that depend on the description. */
  undescribe?(row: number): void
  /** Called when a pin is gone and its row will be reused: drops everything stored under the row, except what `holders` store. */
  letGo?(row: number): void
  /** Lists that may hold rows of gone pins until they are cleaned. */
  readonly holders?: readonly RowHolder[]
  /** Folds a row of `pin-embeddings.v1`; a null vector withdraws the embedding. Only vectors of one space can be compared. */
  foldEmbedding?(row: number, vector: Float32Array | null, space: string): void
  /** Does periodic work at a mark. With `refresh: event` it must not change answers beyond its documented effect. */
  mark?(): void
  /**
   * Fills `hits` (at most its capacity, at most `query.limit`) with accepted rows, best first. Long loops check
   * `interruption` and break off with what they have found.
   */
  query(query: SourceQuery, hits: Hits, interruption: Interruption): void
  /** Rows of the user's recent pins that the query before this call started from, in the order in which they count; absent: it starts from something else. */
  startedFrom?(query: SourceQuery): ArrayLike<number>
  /** Present if the source holds the embeddings of pictures, in which a request can search. */
  readonly images?: Pick<EmbeddingView, 'dimensions' | 'get' | 'search'>
  /** Present if the source adapts to what users take. */
  readonly adaptation?: Adaptation
  /** Bytes of the source's own view, without the shared ones. */
  bytes(): number
  /** Named counts for the operator, e.g. edges. */
  counts?(): Readonly<Record<string, number>>
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** How a source adapts: from training examples, each a few numbers, which every shard learns in the same way. */
export interface Adaptation {
  /** The number of values that encode a training example. */
  readonly width: number
  /** Encodes how its answers rank the pin that the user is about to take. `into` has `width` entries. */
  examine(example: AdaptationExample, into: Int32Array): void
  learn(example: Int32Array): void
}

/** A query, the row of the pin that the user took, and its rank in the source's answer, see `rankIn`. */
export interface AdaptationExample {
  readonly query: SourceQuery
  readonly row: number
  readonly rank: number
}

/** Which list of the neighbour index a source reads, for which pins, and at most how many entries of each. */
export interface IndexRead {
  readonly list: ListName
  readonly maxPerPin: number
  pinsOf(query: SourceQuery): readonly number[]
}

/** One setting for each parameter of a source, see `@freshet/settings/setting`. */
export type ParameterSettings<P extends SourceParameters> = { readonly [Name in keyof P]: z.ZodType<P[Name]> }

/** The definition of a source: its name, its parameters with their defaults, and its constructor. */
export interface SourceDefinition<P extends SourceParameters = SourceParameters> {
  readonly name: string
  /** One sentence for the table of sources: which pins it finds. */
  readonly description: string
  readonly enabled: boolean
  /** The most candidates that it returns for one request. */
  readonly maxCandidates: number
  /** Its weight in the merge, relative to the others'. */
  readonly share: number
  /** A setting for each parameter: default, bounds, unit, description. */
  readonly parameters: ParameterSettings<P>
  create(views: SharedViews, parameters: P): Source
}

/** An engagement with the rows it touches. */
export interface FoldedEngagement {
  readonly engagement: Engagement
  /** The pin's row; -1 if the subject is not a pin or the catalogue is full. */
  readonly row: number
  /** Whether the action shows that the user liked the pin. */
  readonly positive: boolean
  /** Whether the user counts for the pin from now on: once, as far as the graph and `AddressCaps` know; without a graph with each positive action. */
  readonly isCounted: boolean
}

/** An unsave, the row of its pin, and the saves that it takes back; or an action by which another user no longer counts, without saves. */
export interface WithdrawnEngagement {
  readonly engagement: Engagement
  readonly row: number
  readonly saves: readonly WithdrawnSave[]
  /** The times of the actions with which a user counted for the pin and no longer does. */
  readonly uncounted: readonly number[]
}

/** A request with rows instead of ids. Columns are valid during the query only; use `recentCount`, not their length. */
export interface SourceQuery {
  readonly surface: 'home' | 'related'
  /** The time of the request, milliseconds since the epoch. */
  readonly atMs: number
  readonly userId: string | null
  /** The row of the pin whose related pins the request wants; -1 on the home feed. */
  readonly pinRow: number
  /** The user's positive actions on known pins that the user has not taken back, oldest first; on the related surface the pin itself comes last. */
  readonly recentCount: number
  readonly recentRows: Int32Array
  readonly recentAtMs: Float64Array
  /** Index into `actions` of the domain. */
  readonly recentActions: Uint8Array
  /** How much each action counts, in (0, 1]: a short look counts less. */
  readonly recentWeights: Float64Array
  readonly recentBoards: readonly (string | null)[]
  /** Index of each action in the actions of the request; -1: the open pin. */
  readonly recentPlaces: Int32Array
  /** Index of the first action of the current session; equals `recentCount` if the user is between sessions. */
  readonly sessionStart: number
  /** Null for a request without a user. */
  readonly asker: Asker | null
  /** The trails and sessions of all users, and which of them are the asker's own. */
  readonly index: IndexReading
  /** By number of a locale in the catalogue: 1 if it fits; null if all fit. `accept` checks it. */
  readonly locales: Uint8Array | null
  /** The language of the requested locale; null if all fit. */
  readonly language: string | null
  readonly followedCreators: Int32Array
  readonly followedTopics: Int32Array
  readonly followedBoards: readonly string[]
  /** The known pins to which the answer is restricted; null if it is not restricted. */
  readonly amongRows: Int32Array | null
  /** How many pins the request names as excluded or as shown; a pin may be named twice. Infinity: it blocks creators or topics. */
  readonly refusedCount: number
  /** What the request restricts its pins to; null: nothing. `accept` checks it. */
  readonly filter: RowFilter | null
  /** The most rows to return; at least the capacity of the hits, because the merge needs the whole answer. */
  readonly limit: number
  /** The factor that lowers the score of a pin like those the user disliked; null if there are none. The merge applies it. */
  readonly liking: ((row: number) => number) | null
  /** False for pins that are not eligible and for pins that the user was shown. Call it during the search. */
  readonly accept: (row: number) => boolean
  /** False for pins that must not be recommended, are excluded, hidden, of another locale, or of a blocked creator or topic. */
  readonly isEligible: (row: number) => boolean
}
