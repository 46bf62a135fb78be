import {
  Consistency,
  Depth,
  GetFeedRequest,
  GetRelatedPinsRequest,
  type GetFeedResponse,
  type GetRelatedPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import type { Ask } from './evaluate.ts'
import type { Question } from './recording.ts'

/** How questions become requests. */
export interface AskOptions {
  readonly ask: Ask
  /** Whether the answer may contain pins of the user's history; null: like the surface. */
  readonly repeats: boolean | null
  /** Number of pins in the answer: the largest cut-off. */
  readonly depth: number
  /** The sources that are on, for asks without some; those that are on by default where absent. */
  readonly sourceNames?: readonly string[]
  /** Whether feeds are recorded, so that later ones do not repeat them; default: not. */
  readonly recorded?: boolean
  /** Called with each whole answer, which then reports its stages. */
  readonly onAnswer?: (answer: GetFeedResponse | GetRelatedPinsResponse) => void
}

/** The request for a question. It records nothing unless `recorded` is set. */
export function toRequest(
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
    explain: options.onAnswer !== undefined,
    evaluation: {
      consistency: Consistency.COLLECTIVE,
      dryRun: options.recorded !== true,
      amongPinIds: [...question.among],
      excludePinIds: [...question.exclude],
      // By default, candidates include the user's history, because only the surface filters it.
      allowRepeats: repeats ?? ask.kind !== 'feed',
      depth: ask.kind === 'feed' ? Depth.UNSPECIFIED : Depth.CANDIDATES,
      sources: listSources(ask, options.sourceNames ?? onByDefault),
    },
  }
  if (question.pinId !== null)
    return { kind: 'related', request: GetRelatedPinsRequest.fromPartial({ ...common, pinId: question.pinId }) }
  return { kind: 'feed', request: GetFeedRequest.fromPartial(common) }
}

const onByDefault = sourceDefinitions.flatMap(({ name, enabled }) => (enabled ? [name] : []))

function listSources(ask: Ask, sourceNames: readonly string[]): string[] {
  if (ask.kind === 'source') return [...ask.sources]
  if (ask.kind !== 'without') return []
  return sourceNames.filter((name) => !ask.sources.includes(name))
}
