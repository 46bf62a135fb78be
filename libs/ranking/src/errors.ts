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
  RANKING_SPEC_UNREADABLE: {
    fault: 'client',
    retryable: true,
    meaning: 'The file of the ranking spec cannot be read; check its path and its permissions.',
  },
  MODEL_MISMATCHED: {
    fault: 'client',
    retryable: false,
    meaning: 'A model reads features that this version does not have. The model before it serves on.',
  },
  MODEL_BROKEN: {
    fault: 'client',
    retryable: false,
    meaning: 'A model gives numbers that are not scores when it is warmed up. The model before it serves on.',
  },
  BACKEND_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The TensorFlow backend asked for is not there: `npm run native`, or ask for `wasm`.',
  },
} as const satisfies Record<string, RankingErrorKind>
