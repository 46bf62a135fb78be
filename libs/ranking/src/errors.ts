import type { ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error of ranking specs, models and their backends. */
export const rankingErrorCatalogue = {
  RANKING_SPEC_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'The ranking spec cannot be used. The message lists every problem.',
    exitCode: 78,
  },
  SPEC_SYNTAX: {
    fault: 'client',
    retryable: false,
    meaning:
      'A statement of a ranking spec cannot be read. The message says what was expected in which line and column.',
    exitCode: 78,
  },
  SPEC_UNKNOWN_NAME: {
    fault: 'client',
    retryable: false,
    meaning:
      'A ranking spec names an input, a statement or a transform that does not exist. The message suggests the nearest name.',
    exitCode: 78,
  },
  SPEC_TYPE: {
    fault: 'client',
    retryable: false,
    meaning: 'A value of a ranking spec has a type or a shape that does not fit where it stands.',
    exitCode: 78,
  },
  SPEC_PARAMETER: {
    fault: 'client',
    retryable: false,
    meaning: 'A parameter of a transform, a head or the training is unknown, is missing or has a bad value.',
    exitCode: 78,
  },
  SPEC_SHADOWED: {
    fault: 'client',
    retryable: false,
    meaning: 'A name of a ranking spec shadows an input, another statement or a transform.',
    exitCode: 78,
  },
  SPEC_CYCLE: {
    fault: 'client',
    retryable: false,
    meaning: 'Statements of a ranking spec depend on each other in a circle, or specs extend each other.',
    exitCode: 78,
  },
  SPEC_READS_LABEL: {
    fault: 'client',
    retryable: false,
    meaning: 'A feature or a layer reads a label or a prediction. Labels are known only after the pin was shown.',
    exitCode: 78,
  },
  SPEC_READS_TRAINING_ONLY: {
    fault: 'client',
    retryable: false,
    meaning: 'The first phase or an exposed value reads an input that only training knows.',
    exitCode: 78,
  },
  SPEC_UTILITY: {
    fault: 'client',
    retryable: false,
    meaning: 'The utility of a ranking spec is not a sum of weights times heads.',
    exitCode: 78,
  },
  SPEC_UNTRAINED: {
    fault: 'client',
    retryable: false,
    meaning: 'A first phase or an exposed value reads learned weights that no head trains.',
    exitCode: 78,
  },
  SPEC_INCOMPLETE: {
    fault: 'client',
    retryable: false,
    meaning: 'A ranking spec lacks a name, a head or a utility.',
    exitCode: 78,
  },
  SPEC_UNUSED: {
    fault: 'client',
    retryable: false,
    meaning: 'A warning: nothing reads this statement of a ranking spec.',
    exitCode: 78,
  },
  SPEC_UNREADABLE: {
    fault: 'client',
    retryable: false,
    meaning: 'The ranking spec that another one extends cannot be read; check the path after `extends`.',
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
  ROWS_DAMAGED: {
    fault: 'server',
    retryable: false,
    meaning: 'A file of training rows cannot be read. Its rows are left out, and all other files are read.',
    exitCode: 1,
  },
  BACKEND_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'The requested TensorFlow backend is not installed. Run `npm run native`, or choose `wasm`.',
    exitCode: 78,
  },
} as const satisfies ErrorCatalogue
