import type { PageVersions } from './feed-observer.ts'
import type { Answer } from './ladder.ts'
import type { FeedRequest } from './request.ts'

/** What the page of an answer was made with. */
export function versionsOf(
  { userId, surface, relatedToPinId, page }: Pick<FeedRequest, 'userId' | 'surface' | 'relatedToPinId' | 'page'>,
  { ranked, columns }: Pick<Answer, 'ranked' | 'columns'>,
): PageVersions {
  return {
    pageSession: `${userId}/${surface}/${relatedToPinId}/${page.startedAtMs}`,
    model: ranked === null ? '' : `${ranked.response.modelVersion} ${ranked.response.planVersion}`,
    embeddings: columns.embeddings.map(({ modelId, version }) => `${modelId} ${version}`).join(),
  }
}
