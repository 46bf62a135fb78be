import { bytesOf, float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { encodeMessage } from '@freshet/contracts/bytes/wire'
import { FeedServed, FeedVersions, type FeedSeeds } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EmbeddingVersion } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { foundCount, type FoundColumns } from '../source-columns.ts'

/** The ranked pins that a page session has not shown yet: what its next pages are made of. Columns, by utility, best first. */
export interface Reserve {
  /** When the first page was requested, milliseconds since the epoch: it names the session. */
  readonly startedAtMs: number
  /** `actedMark` of the user when the pins were ranked. */
  readonly acted: number
  /** `termsMark` of the request. */
  readonly terms: number
  /** Whether these are all pins that the user was not shown. */
  readonly exhausted: boolean
  readonly pinIds: readonly string[]
  readonly utilities: Float32Array
  /** What exploration added to the utilities; null: nothing. */
  readonly exploration: Float32Array | null
  readonly retrievalScores: Float32Array
  /** Rank of each pin among all candidates in retrieval order. */
  readonly retrievalRanks: Uint16Array
  /** See `CandidateColumns`. */
  readonly boards: Uint32Array | null
  readonly sourceNames: readonly string[]
  /** Which sources found each pin, with its rank and score in each. */
  readonly found: FoundColumns
  readonly embeddings: readonly EmbeddingVersion[]
  /** See `CandidateColumns`. */
  readonly seeds: FeedSeeds | undefined
}

/** 4 has boards; without boards it is 3, which blenders of the release before read too. */
const versions = { plain: 3, withBoards: 4 } as const
/** Version, flags, the number of boards (0: not known), then the marks and the start of the session. */
const headBytes = 20

const noFeed = FeedServed.fromPartial({})
const noVersions = FeedVersions.fromPartial({})

/** Encodes a reserve for the state store: a head, with boards four bytes for each pin, then the columns as a `FeedServed`. */
export function encodeReserve(reserve: Reserve): Uint8Array {
  const columns = encodeMessage(FeedServed, {
    ...noFeed,
    pinIds: reserve.pinIds as string[],
    utilities: bytesOf(reserve.utilities),
    exploration: reserve.exploration === null ? noFeed.exploration : bytesOf(reserve.exploration),
    retrievalScores: bytesOf(reserve.retrievalScores),
    retrievalRanks: bytesOf(reserve.retrievalRanks),
    sources: reserve.sourceNames as string[],
    foundBy: bytesOf(reserve.found.foundBy),
    sourceRanks: bytesOf(reserve.found.ranks),
    sourceScores: bytesOf(reserve.found.scores),
    seeds: reserve.seeds,
    versions: { ...noVersions, embeddings: reserve.embeddings as EmbeddingVersion[] },
  })
  const boards = reserve.boards === null ? new Uint8Array(0) : bytesOf(reserve.boards)
  const bytes = new Uint8Array(headBytes + boards.length + columns.length)
  const head = new DataView(bytes.buffer, 0, headBytes)
  head.setUint8(0, boards.length === 0 ? versions.plain : versions.withBoards)
  head.setUint8(1, reserve.exhausted ? 1 : 0)
  head.setUint16(2, boards.length / 4, true)
  head.setUint32(4, reserve.acted, true)
  head.setUint32(8, reserve.terms, true)
  head.setFloat64(12, reserve.startedAtMs, true)
  bytes.set(boards, headBytes)
  bytes.set(columns, headBytes + boards.length)
  return bytes
}

/** The head of a stored reserve, which says whether the rest is worth decoding; null: there is none, or of another version. */
export function reserveHead(
  bytes: Uint8Array | null,
): Pick<Reserve, 'startedAtMs' | 'acted' | 'terms' | 'exhausted'> | null {
  if (bytes === null || bytes.length < headBytes) return null
  if (bytes[0] !== versions.plain && bytes[0] !== versions.withBoards) return null
  const head = new DataView(bytes.buffer, bytes.byteOffset, headBytes)
  return {
    startedAtMs: head.getFloat64(12, true),
    acted: head.getUint32(4, true),
    terms: head.getUint32(8, true),
    exhausted: head.getUint8(1) === 1,
  }
}

/** Decodes a reserve; null: there is none, it is of another version, or its columns differ in length. */
export function decodeReserve(bytes: Uint8Array | null): Reserve | null {
  const head = reserveHead(bytes)
  if (head === null || bytes === null) return null
  const columnsFrom = headBytes + 4 * boardCount(bytes)
  if (columnsFrom > bytes.length) return null
  const feed = FeedServed.decode(bytes.subarray(columnsFrom))
  const { pinIds, sources: sourceNames } = feed
  const columns = {
    utilities: float32Column(feed.utilities),
    exploration: feed.exploration.length === 0 ? null : float32Column(feed.exploration),
    retrievalScores: float32Column(feed.retrievalScores),
    retrievalRanks: uint16Column(feed.retrievalRanks),
    boards: columnsFrom === headBytes ? null : uint32Column(bytes.subarray(headBytes, columnsFrom)),
  }
  const found = {
    foundBy: uint32Column(feed.foundBy),
    ranks: uint16Column(feed.sourceRanks),
    scores: float32Column(feed.sourceScores),
  }
  if (Object.values(columns).some((column) => column !== null && column.length !== pinIds.length)) return null
  if (!fits(found, pinIds.length, sourceNames.length)) return null
  return {
    ...head,
    pinIds,
    sourceNames,
    ...columns,
    found,
    embeddings: feed.versions?.embeddings ?? [],
    seeds: feed.seeds,
  }
}

/** 0: the boards are not known. */
function boardCount(bytes: Uint8Array): number {
  return bytes[0] === versions.plain ? 0 : new DataView(bytes.buffer, bytes.byteOffset, headBytes).getUint16(2, true)
}

function fits({ foundBy, ranks, scores }: FoundColumns, pins: number, sources: number): boolean {
  const isNamed = foundBy.every((bits) => sources >= 32 || bits >>> sources === 0)
  const isKnown = ranks.length > 0
  return (
    foundBy.length === pins &&
    isNamed &&
    ranks.length === scores.length &&
    (!isKnown || ranks.length === foundCount(foundBy))
  )
}
