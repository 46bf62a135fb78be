import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import type { FeedItem, StageReport } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { sourcesOf } from './candidates.ts'
import type { Answer } from './ladder.ts'
import { pickBits, pickFloats, pickTexts } from './pick.ts'
import type { FeedRequest } from './request.ts'
import type { Ranked } from './scorers/rank.ts'

/** The items of a page. */
export function itemsOf({ page }: FeedRequest, { columns, rows, utilities }: Answer): FeedItem[] {
  const items = new Array<FeedItem>(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    items[i] = {
      pinId: columns.pinIds[row] as string,
      position: page.firstPosition + i,
      utility: utilities[row] as number,
      sources: sourcesOf(columns, row),
      seenAgain: columns.shownBefore[row] === 1,
    }
  }
  return items
}

/** What each stage did; stages of lower rungs are named after their rung. */
export function stageReports({ records }: Answer): StageReport[] {
  return records.flatMap(({ pipeline, stages }) =>
    stages.map(({ stage, candidatesIn, candidatesOut, tookMs, removed, error }) => ({
      stage: pipeline === 'feed' || pipeline === 'candidates' ? stage : `${pipeline}/${stage}`,
      candidatesIn,
      candidatesOut,
      tookUs: Math.round(tookMs * 1000),
      removed: { ...removed },
      error: error ?? '',
    })),
  )
}

/** The slate as it is kept: with the features as used. */
export function feedServedOf(request: FeedRequest, answer: Answer): FeedServed {
  const { columns, rows, utilities, ranked } = answer
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
    foundBy: bytesOf(pickBits(columns.foundBy, rows)),
    ...rankedColumns(rows, ranked),
    degradation: answer.degradation,
    stages: stageReports(answer),
    relatedToPinId: request.relatedToPinId,
  }
}

const none = new Uint8Array(0)

/** The ranker's columns, for the rows of the page alone. */
function rankedColumns(rows: Int32Array, ranked: Ranked | null) {
  if (ranked === null) {
    return { featureNames: [], features: none, actions: [], probabilities: none, modelVersion: '' }
  }
  const { response, places } = ranked
  const { featureNames, actions, modelVersion } = response
  const width = featureNames.length
  const features = new Float32Array(rows.length * width)
  const probabilities = new Float32Array(rows.length * actions.length)
  const allFeatures = float32Column(response.features)
  const allProbabilities = float32Column(response.probabilities)
  const candidates = response.utilities.byteLength / 4
  for (let i = 0; i < rows.length; i++) {
    const place = places[rows[i] as number] as number
    if (place < 0) continue
    features.set(allFeatures.subarray(place * width, (place + 1) * width), i * width)
    for (let action = 0; action < actions.length; action++)
      probabilities[action * rows.length + i] = allProbabilities[action * candidates + place] as number
  }
  return { featureNames, features: bytesOf(features), actions, probabilities: bytesOf(probabilities), modelVersion }
}
