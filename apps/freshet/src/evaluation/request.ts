import {
  Consistency,
  Depth,
  GetFeedRequest,
  GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import type { Ask } from './evaluate.ts'
import type { Question } from './recording.ts'

/** How questions are put. */
export interface AskOptions {
  readonly ask: Ask
  /** May pins of the user's history be recommended; null: what the surface does. */
  readonly repeats: boolean | null
  /** How many pins are asked for: the largest cut-off. */
  readonly depth: number
  /** The sources that are on, for asks without some; those that are on by default where absent. */
  readonly sourceNames?: readonly string[]
}

/** The request that a question is put as; nothing is recorded by it. */
export function requestOf(
  question: Question,
  options: AskOptions,
  after: readonly string[],
):
  | { readonly kind: 'feed'; readonly request: GetFeedRequest }
  | { readonly kind: 'related'; readonly request: GetRelatedPinsRequest } {
  const { ask, repeats, depth } = options
  const common = {
    userId: question.userId,
    pageSize: depth,
    after: [...after],
    sessionId: question.sessionId,
    locale: '',
    atMs: question.atMs,
    explain: false,
    evaluation: {
      consistency: Consistency.COLLECTIVE,
      dryRun: true,
      amongPinIds: [...question.among],
      excludePinIds: [...question.exclude],
      // By default candidates are what the sources give: history is for the surface to leave out.
      allowRepeats: repeats ?? ask.kind !== 'feed',
      depth: ask.kind === 'feed' ? Depth.UNSPECIFIED : Depth.CANDIDATES,
      sources: sourcesOf(ask, options.sourceNames ?? onByDefault),
    },
  }
  if (question.pinId !== null)
    return { kind: 'related', request: GetRelatedPinsRequest.fromPartial({ ...common, pinId: question.pinId }) }
  return { kind: 'feed', request: GetFeedRequest.fromPartial(common) }
}

const onByDefault = sourceDefinitions.flatMap(({ name, enabled }) => (enabled ? [name] : []))

function sourcesOf(ask: Ask, sourceNames: readonly string[]): string[] {
  if (ask.kind === 'source') return [...ask.sources]
  if (ask.kind !== 'without') return []
  return sourceNames.filter((name) => !ask.sources.includes(name))
}
