interface RankingErrorKind {
  readonly fault: 'client' | 'server' | 'dependency'
  /** Trying the same again may succeed. */
  readonly retryable: boolean
  readonly meaning: string
}

/** Every error that preparing to rank can end with. */
export const rankingErrorCatalogue = {
  RANKING_SPEC_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'The ranking spec cannot be used; every problem of it is listed.',
  },
  BACKEND_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The TensorFlow backend asked for is not there: `npm run native`, or ask for `wasm`.',
  },
} as const satisfies Record<string, RankingErrorKind>
