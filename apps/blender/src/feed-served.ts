import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { FeedContext, FeedServed, PinMoves, UnshownCandidates } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { stageReports } from './answer.ts'
import { retrievalRanksOf } from './candidates.ts'
import type { Answer } from './ladder.ts'
import { toCandidateTrace } from './candidate-trace.ts'
import { recordedDraw } from './ordering/recorded-draw.ts'
import { recordedSteps } from './ordering/recorded-steps.ts'
import { pickFloats, pickTexts } from './pick.ts'
import type { FeedRequest } from './request.ts'
import { recordedFilter } from './request-filter.ts'
import { rankedColumns } from './ranked-columns.ts'
import { foundColumns } from './source-columns.ts'
import { sampleUnshown } from './unshown-sample.ts'

/** The record of an answer: the pins shown, the reasons, the inputs, and a sample of the candidates not shown. */
export function toFeedServed(request: FeedRequest, answer: Answer): FeedServed {
  const { columns, rows, utilities, ranked, exploration } = answer
  const found = foundColumns(columns, rows)
  // Reads the last parameters, so it comes before the exposures.
  const unshown = toUnshownSample(request, answer)
  return {
    feedId: request.feedId,
    userId: request.userId,
    atMs: request.atMs,
    surface: request.surface === 'home' ? Surface.HOME : Surface.RELATED,
    sessionId: request.sessionId,
    firstPosition: request.page.firstPosition,
    pinIds: pickTexts(columns.pinIds, rows),
    utilities: bytesOf(pickFloats(utilities, rows)),
    sources: [...columns.sourceNames],
    foundBy: bytesOf(found.foundBy),
    ...rankedColumns(rows, ranked),
    degradation: answer.degradation,
    stages: stageReports(answer),
    relatedToPinId: request.relatedToPinId,
    context: toFeedContext(request, answer),
    sourceRanks: bytesOf(found.ranks),
    sourceScores: bytesOf(found.scores),
    retrievalRanks: bytesOf(retrievalRanksOf(columns, rows)),
    retrievalScores: bytesOf(pickFloats(columns.retrievalScores, rows)),
    experiments: request.experiments.exposed(),
    versions: {
      rankingPlan: ranked?.response.planVersion ?? '',
      userStateFold: answer.userStateFold,
      embeddings: [...columns.embeddings],
      experiments: request.experiments.version,
    },
    moves: toPinMoves(answer),
    unshown,
    exploration: exploration === null ? none : bytesOf(pickFloats(exploration, rows)),
    // Given the draws of exploration, which are a function of the request.
    ...recordedDraw(answer.ordered, rows, ranked),
    headFactors: ranked?.response.headFactors,
    trace: request.params.recordTrace ? toCandidateTrace(answer) : undefined,
    ordering: recordedSteps(answer.ordered, rows),
    seeds: columns.seeds,
  }
}

const none = new Uint8Array(0)

function toFeedContext(request: FeedRequest, { reasons, freshness }: Answer): FeedContext {
  const { evaluation, filter } = request
  return {
    locale: request.locale,
    pageSize: request.pageSize,
    pageSessionStartedAtMs: request.page.startedAtMs,
    client: request.client,
    onlySources: [...new Set([...request.onlySources, ...(evaluation?.sources ?? [])])],
    withoutSources: [...request.withoutSources],
    filter: recordedFilter(filter, request.atMs),
    amongPins: evaluation?.among.length ?? 0,
    excludedPins: filter.exclude.size + (evaluation?.exclude.size ?? 0),
    seenPins: filter.seen.size,
    allowRepeats: evaluation?.allowRepeats ?? false,
    reasons: [...reasons],
    freshness,
  }
}

/** The moves of pins on the page by stages of the run that made the slate. */
function toPinMoves({ records, rows }: Answer): PinMoves | undefined {
  const stages = (records.at(-1)?.stages ?? []).filter(({ moves }) => moves !== null)
  if (stages.length === 0) return undefined
  const placeOf = new Map([...rows].map((row, place) => [row, place]))
  const reasons: string[] = []
  const columns = { reasonIndices: [] as number[], pins: [] as number[], from: [] as number[], to: [] as number[] }
  for (const { stage, moves } of stages) {
    if (moves === null) continue
    const first = reasons.length
    reasons.push(...moves.reasonNames.map((reason) => `${stage}/${reason}`))
    for (let i = 0; i < moves.rows.length; i++) {
      const place = placeOf.get(moves.rows[i] as number)
      if (place === undefined) continue
      columns.reasonIndices.push(first + (moves.reasons[i] as number))
      columns.pins.push(place)
      columns.from.push(moves.from[i] as number)
      columns.to.push(moves.to[i] as number)
    }
  }
  if (columns.pins.length === 0) return undefined
  return {
    reasons,
    reasonIndices: Uint8Array.from(columns.reasonIndices),
    pins: bytesOf(Uint16Array.from(columns.pins)),
    from: bytesOf(Uint16Array.from(columns.from)),
    to: bytesOf(Uint16Array.from(columns.to)),
  }
}

/** A sample of the candidates that are not on the page, from the run that made the slate. */
function toUnshownSample(request: FeedRequest, answer: Answer): UnshownCandidates | undefined {
  const { maxUnshownCandidates: maxRows, seed } = request.params
  const fates = answer.records.at(-1)?.fates
  if (fates === undefined || maxRows === 0) return undefined
  const { groups, rows, groupOf } = sampleUnshown(fates, { maxRows, seed: `${request.feedId}/${seed}` })
  if (groups.length === 0) return undefined
  const { columns } = answer
  const found = foundColumns(columns, rows)
  return {
    reasons: [...groups],
    pinIds: pickTexts(columns.pinIds, rows),
    reasonIndices: groupOf,
    foundBy: bytesOf(found.foundBy),
    sourceRanks: bytesOf(found.ranks),
    sourceScores: bytesOf(found.scores),
    retrievalRanks: bytesOf(retrievalRanksOf(columns, rows)),
    retrievalScores: bytesOf(pickFloats(columns.retrievalScores, rows)),
    utilities: pickUtilities(rows, answer),
  }
}

/** NaN where the ranker did not score the row. */
function pickUtilities(rows: Int32Array, { utilities, ranked }: Answer): Uint8Array {
  if (ranked === null) return none
  const { places } = ranked
  const known = pickFloats(utilities, rows)
  for (let i = 0; i < rows.length; i++) if (places[rows[i] as number] === -1) known[i] = NaN
  return bytesOf(known)
}
