import type { ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error of ranking specs, models and their backends. */
export const rankingErrorCatalogue = {
  RANKING_SPEC_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'The ranking spec cannot be used. The message lists every problem.',
    exitCode: 78,
  },
  RANKING_SPEC_UNREADABLE: {
    fault: 'client',
    retryable: true,
    meaning: 'The file of the ranking spec cannot be read; check its path and its permissions.',
  },
  MODEL_MISMATCHED: {
    fault: 'client',
    retryable: false,
    meaning: 'A model reads features that this version does not have. The previous model continues to serve.',
  },
  MODEL_BROKEN: {
    fault: 'client',
    retryable: false,
    meaning: 'A model returns invalid scores when it is warmed up. The previous model continues to serve.',
  },
  BACKEND_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The requested TensorFlow backend is not installed. Run `npm run native`, or choose `wasm`.',
    exitCode: 78,
  },
} as const satisfies ErrorCatalogue
