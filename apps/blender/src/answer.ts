import type { FeedItem, StageReport } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { sourcesThatFound } from './candidates.ts'
import type { Answer } from './ladder.ts'
import type { FeedRequest } from './request.ts'

/** The items of a page. */
export function toFeedItems({ page }: FeedRequest, { columns, rows, utilities }: Answer): FeedItem[] {
  const items = new Array<FeedItem>(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    items[i] = {
      pinId: columns.pinIds[row] as string,
      position: page.firstPosition + i,
      utility: utilities[row] as number,
      sources: sourcesThatFound(columns, row),
      seenAgain: columns.shownBefore[row] === 1,
    }
  }
  return items
}

/** Names of the pipelines of the best answers. */
const firstRungs: ReadonlySet<string> = new Set(['feed', 'candidates', 'rank-pins', 'search-by-image'])

/** Reports what each stage did. Names of stages on lower rungs begin with the rung. */
export function stageReports({ records }: Answer): StageReport[] {
  return records.flatMap(({ pipeline, stages }) =>
    stages.map(({ stage, candidatesIn, candidatesOut, tookMs, removed, error }) => ({
      stage: firstRungs.has(pipeline) ? stage : `${pipeline}/${stage}`,
      candidatesIn,
      candidatesOut,
      tookUs: Math.round(tookMs * 1000),
      removed: { ...removed },
      error: error ?? '',
    })),
  )
}
