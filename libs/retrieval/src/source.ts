import type { z } from 'zod'
import type { Engagement } from '@freshet/domain/engagement'
import type { PinChange } from '@freshet/domain/pin'

import type { Catalogue } from './views/catalogue.ts'
import type { GraphView } from './graph/graph-view.ts'
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
  /** The live graph of pins, boards and users; folded only where a source asks for it when it is made. */
  readonly graph: () => GraphView
  /** What everybody takes, at several half-lives. */
  readonly rates: Rates
  /** Scratch for one query at a time; a source clears it before use. */
  readonly board: ScoreBoard
  /** Orders ties and seeds whatever a source draws. */
  readonly seed: number
}

/**
 * One way to find pins: how events change its view and how the view answers, side by side. Folds are small and a pure
 * function of what was folded, and do not depend on how the events of different users interleave. Queries never wait
 * and make no object per candidate.
 */
export interface Source {
  readonly name: string
  /** What scores mean to the merge. `probability`: that the next pin is this one. `relative` (the default): parts of their sum. */
  readonly scale?: 'probability' | 'relative'
  /** Present where its query reads `query.index`: what of it, so that a request gathers that where the index is spread over shards. */
  readonly reads?: IndexRead
  /** After the shared views have folded it. Any action, any subject. */
  foldEngagement?(folded: FoldedEngagement): void
  /** A user took back saves of a pin that were folded: forgets what they taught. Beside `foldEngagement` of the unsave. */
  withdraw?(withdrawn: WithdrawnEngagement): void
  /** After the catalogue has folded it; `row` is the pin's. */
  foldPin?(row: number, change: PinChange): void
  /** The description of a pin is about to change, or the pin to go: takes it out of what it is filed in by that. */
  undescribe?(row: number): void
  /** A pin has gone, and its row will be another's: lets go of all that is held under it, but for what `holders` hold. */
  letGo?(row: number): void
  /** Lists that may hold rows of pins that have gone until they are cleaned. */
  readonly holders?: readonly RowHolder[]
  /** A row of `pin-embeddings.v1`; a null vector says that the embedding is withdrawn. */
  foldEmbedding?(row: number, vector: Float32Array | null): void
  /** A named point in time: work that is not done per event. Must not change answers under refresh per event beyond its documented effect. */
  mark?(): void
  /**
   * Fills `hits` (at most its capacity, at most `query.limit`) with accepted rows, best first. Loops that may be long ask
   * `interruption` and break off with what they have.
   */
  query(query: SourceQuery, hits: Hits, interruption: Interruption): void
  /** Present where it adapts to what users take. */
  readonly adaptation?: Adaptation
  /** Bytes of the source's own view, without the shared ones. */
  bytes(): number
  /** Named counts for the operator, e.g. edges. */
  counts?(): Readonly<Record<string, number>>
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** How a source adapts: by training examples, each a few numbers, which are learned on every shard alike. */
export interface Adaptation {
  /** Numbers of a training example. */
  readonly width: number
  /** Writes down what its answers say of the pin that the user is about to take. `into` is `width` long. */
  examine(example: AdaptationExample, into: Int32Array): void
  learn(example: Int32Array): void
}

/** A question, the pin that was the answer, and its rank in what the source has just answered, see `rankIn`. */
export interface AdaptationExample {
  readonly query: SourceQuery
  readonly row: number
  readonly rank: number
}

/** Which list of the neighbour index a source reads, through which pins, and how many of each at most. */
export interface IndexRead {
  readonly list: ListName
  readonly maxPerPin: number
  pinsOf(query: SourceQuery): readonly number[]
}

/** One setting for each parameter of a source, see `@freshet/settings/setting`. */
export type ParameterSettings<P extends SourceParameters> = { readonly [Name in keyof P]: z.ZodType<P[Name]> }

/** What a source is before it is made: its name, its parameters with their defaults, how it is made. */
export interface SourceDefinition<P extends SourceParameters = SourceParameters> {
  readonly name: string
  readonly enabled: boolean
  /** The most candidates it gives for one request. */
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
  /** The pin's row; -1 where the subject is no pin, or the catalogue is full. */
  readonly row: number
  /** Whether it says that the user liked the pin. */
  readonly positive: boolean
  /** Whether it is a positive action of a user whom the graph does not know to have touched the pin before; true where there is no graph. */
  readonly isFirst: boolean
}

/** An unsave, the row of its pin, and the saves that it took back. */
export interface WithdrawnEngagement {
  readonly engagement: Engagement
  readonly row: number
  readonly saves: readonly WithdrawnSave[]
}

/** A request as sources see it: rows instead of ids. Columns are valid during the query only; use `recentCount`, not their length. */
export interface SourceQuery {
  readonly surface: 'home' | 'related'
  /** The time of asking, milliseconds. */
  readonly atMs: number
  readonly userId: string | null
  /** The pin that related pins are asked for; -1 on the home feed. */
  readonly pinRow: number
  /** The user's own positive actions on known pins that still stand, oldest first; on the related surface the pin itself is the last one. */
  readonly recentCount: number
  readonly recentRows: Int32Array
  readonly recentAtMs: Float64Array
  /** Index into `actions` of the domain. */
  readonly recentActions: Uint8Array
  readonly recentBoards: readonly (string | null)[]
  /** Index of the first action of the current session; equals `recentCount` where the user is between sessions. */
  readonly sessionStart: number
  /** Null for a request without a user. */
  readonly asker: Asker | null
  /** What all users did one after the other, and the asker's own part of it. */
  readonly index: IndexReading
  /** By number of a locale in the catalogue, 1 where it fits; null where all fit. `accept` heeds it. */
  readonly locales: Uint8Array | null
  /** The language of the locale asked for; null where all fit. */
  readonly language: string | null
  readonly followedCreators: Int32Array
  readonly followedTopics: Int32Array
  readonly followedBoards: readonly string[]
  /** The known pins that the answer is restricted to; null where it is not. */
  readonly amongRows: Int32Array | null
  /** The most rows wanted; never less than the hits have room for, because the merge needs the whole answer. */
  readonly limit: number
  /** The factor by which a pin counts less for being like what the user took back or wants nothing of; null: none does. The merge applies it. */
  readonly liking: ((row: number) => number) | null
  /** False for pins that are not eligible, and for those that the user was shown: ask it during the search. */
  readonly accept: (row: number) => boolean
  /** False for pins that may not be recommended, are excluded, hidden, of another locale, or of a blocked creator or topic. */
  readonly isEligible: (row: number) => boolean
}
