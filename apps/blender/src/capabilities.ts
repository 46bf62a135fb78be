import type { GetCapabilitiesResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { SourceStatus, type RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import { topics } from '@freshet/contracts/topics'
import { version } from '@freshet/domain/version'
import { maxCards } from './cards/get-pins.ts'
import type { PinCards } from './cards/pin-cards.ts'
import type { BlenderConfig } from './config.ts'
import { maxRankedPins } from './lists/list-request.ts'
import { defaultPageSize, maxPageSize, maxTokens } from './request.ts'

/** What the other services reported about themselves in their last answers. */
export interface Heard {
  readonly candidates: CandidateService
  readonly ranker: Ranker
  /** Names of the sources of the last answer to a request for a feed that named none; empty: there was none. */
  sources(): readonly string[]
  /** What the ranker predicts and the model that it used last; empty: it has not answered. */
  model(): { readonly heads: readonly string[]; readonly version: string }
}

/** Passes calls on, and keeps what answers say about the services. */
export function createHeard({
  candidates,
  ranker,
}: {
  readonly candidates: CandidateService
  readonly ranker: Ranker
}): Heard {
  let sources: readonly string[] = []
  let model: ReturnType<Heard['model']> = { heads: [], version: '' }
  return {
    candidates: {
      async retrieve(request, call) {
        const answer = await candidates.retrieve(request, call)
        if (asksAllSources(request) && answer.sources.length > 0)
          sources = answer.sources.filter(({ status }) => status !== SourceStatus.OFF).map(({ source }) => source)
        return answer
      },
    },
    ranker: {
      async rank(request, call) {
        const answer = await ranker.rank(request, call)
        model = { heads: [...answer.actions, ...answer.amountNames], version: answer.modelVersion }
        return answer
      },
    },
    sources: () => sources,
    model: () => model,
  }
}

/** Whether the answer to a request names all sources. A search by a picture uses one. */
function asksAllSources({ sources, withoutSources, imageEmbedding, imageOfPinId }: RetrieveRequest): boolean {
  return sources.length + withoutSources.length + imageEmbedding.length === 0 && imageOfPinId === ''
}

/** What the answer about capabilities is made of. */
export interface CapabilityPorts {
  readonly heard: Heard
  readonly config: BlenderConfig
  readonly cards: PinCards
  readonly locales: readonly string[]
  /** Names of the stages of a home feed. */
  readonly stages: readonly string[]
}

/** What this blender can do, as its parts report it. */
export function capabilities({ heard, config, cards, locales, stages }: CapabilityPorts): GetCapabilitiesResponse {
  const { heads, version: modelVersion } = heard.model()
  return {
    version,
    calls: Object.values(blenderMethods).map(({ name }) => name),
    surfaces: ['home', 'related'],
    sources: [...heard.sources()],
    stages: [...stages],
    heads: [...heads],
    modelVersion,
    limits: {
      pageSize: maxPageSize,
      defaultPageSize,
      rankPins: maxRankedPins,
      getPins: maxCards,
      after: maxTokens,
      timeoutMs: config.maxTimeoutMs,
      bodyBytes: config.maxBodyBytes,
      explainMs: topics['feeds-served.v1'].retentionMs,
    },
    locales: [...locales],
    embeddingWidth: cards.embeddingWidth(),
  }
}
