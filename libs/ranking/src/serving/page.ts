import { noOverallRates } from '@freshet/domain/features/overall-rates'
import { noRetrieval } from '@freshet/domain/features/retrieval'
import type { Candidates, PinFacts } from '../features/read-candidates.ts'
import type { HeadFactors } from '../model/utility.ts'

/** One request as a model scores it: the candidates, and what the request says about itself. */
export interface RankingPage extends Candidates {
  readonly request: RequestFacts
  /** Factors on the heads in the utility; absent: none. A model ignores heads that it does not have. */
  readonly headFactors?: HeadFactors | undefined
}

/** What a request says about itself, next to its candidates. An empty text is "not known". */
export interface RequestFacts {
  readonly userId: string
  /** `home` or `related`. */
  readonly surface: string
  /** BCP 47 language tag. */
  readonly locale: string
  /** Names of the sources. */
  readonly sources: readonly string[]
  /** For each candidate: bit i is set if `sources[i]` found it. Empty: not known. */
  readonly foundBy: Uint32Array
}

/** Noon of a day, for a page that nobody asked for. */
const someTimeMs = Date.UTC(2025, 0, 1, 12)

/** A page of pins that nobody knows, for a user without state: what a new model must score before it serves. */
export function unknownPage(candidates: number): RankingPage {
  return {
    pinIds: Array.from({ length: candidates }, (_, at) => `unknown-${at}`),
    retrievalScores: new Float32Array(candidates),
    retrieval: noRetrieval,
    user: null,
    atMs: someTimeMs,
    request: { userId: '', surface: 'home', locale: '', sources: [], foundBy: new Uint32Array() },
  }
}

/** No facts about any pin. */
export const noPinFacts: PinFacts = {
  entryOf: () => undefined,
  pinOf: () => undefined,
  overallRates: () => noOverallRates,
  readingOf: () => null,
}
