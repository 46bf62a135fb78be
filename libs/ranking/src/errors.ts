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
  MODEL_ARTEFACT_FOREIGN: {
    fault: 'client',
    retryable: false,
    meaning: 'A file in the place of a model is not a model artefact. The previous model continues to serve.',
  },
  MODEL_ARTEFACT_NEWER: {
    fault: 'server',
    retryable: false,
    meaning:
      'A newer version wrote a model artefact in a format that this process cannot read. Update this process. The previous model continues to serve.',
  },
  MODEL_ARTEFACT_TRUNCATED: {
    fault: 'server',
    retryable: true,
    meaning: 'A model artefact is cut off. Train the model again. The previous model continues to serve.',
  },
  MODEL_ARTEFACT_DAMAGED: {
    fault: 'server',
    retryable: false,
    meaning: 'A checksum of a model artefact differs. Train the model again. The previous model continues to serve.',
  },
  MODEL_PLAN_DIFFERS: {
    fault: 'client',
    retryable: false,
    meaning: 'A model was trained for another plan than the one beside it. The previous model continues to serve.',
  },
  MODEL_WEIGHTS_MISFIT: {
    fault: 'client',
    retryable: false,
    meaning:
      'The weights or statistics of a model are not those that its plan needs. The message lists all of them. The previous model continues to serve.',
  },
  MODEL_TRANSFORM_UNKNOWN: {
    fault: 'client',
    retryable: false,
    meaning: 'A model uses a transform that this version does not have. The previous model continues to serve.',
  },
  MODEL_UNKNOWN: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'The registry has no model of this version. `freshet models list` prints the known ones.',
  },
  MODEL_TRANSITION_REFUSED: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'A model cannot go from its stage to the requested one. The message lists the stages that are possible.',
  },
  MODEL_ROLL_BACK_IMPOSSIBLE: {
    fault: 'client',
    retryable: false,
    exitCode: 1,
    meaning: 'No model served before the present one, so there is nothing to return to.',
  },
  BACKEND_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The requested TensorFlow backend is not installed. Run `npm run native`, or choose `wasm`.',
    exitCode: 78,
  },
} as const satisfies ErrorCatalogue
