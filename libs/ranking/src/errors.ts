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
  SPEC_READS_FUTURE: {
    fault: 'client',
    retryable: false,
    meaning:
      'A ranking spec reads an input that is known only after the pin was shown, such as the position. Add `training only` with the value that serving uses.',
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
  LABELLED_SCORES_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'Labelled rows cannot be measured or calibrated. The message lists every problem.',
  },
  FOREST_INVALID: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning:
      'A decision forest cannot be used: its text is damaged or needs what this version does not support. The message lists every problem.',
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
  TRAINING_WINDOW_EMPTY: {
    fault: 'client',
    retryable: true,
    meaning: 'There are no rows to train on. Widen the training window, or wait until feeds were served and acted on.',
    exitCode: 78,
  },
  TRAINING_LABEL_ABSENT: {
    fault: 'client',
    retryable: false,
    meaning: 'No training row has a label that a head of the spec predicts. Correct the name of the label.',
    exitCode: 78,
  },
  TRAINING_ONE_CLASS: {
    fault: 'client',
    retryable: true,
    meaning: 'All training rows have the same label, or a label is not 0 or 1, so a probability cannot be learned.',
    exitCode: 78,
  },
  TRAINING_ROWS_LEFT_OUT: {
    fault: 'server',
    retryable: false,
    meaning:
      'Some training rows cannot be used. The message says how many and why; training goes on with the others. Look for what writes them.',
    exitCode: 78,
  },
  TRAINING_DIVERGED: {
    fault: 'client',
    retryable: false,
    meaning: 'The loss is no longer a number. Lower the learning rate, or clip the features with the largest values.',
    exitCode: 78,
  },
  PLAN_INVALID: {
    fault: 'client',
    retryable: false,
    meaning: 'A compiled plan cannot be used by this version. The message lists every problem; compile its spec again.',
    exitCode: 78,
  },
  PLAN_STATISTICS_MISMATCHED: {
    fault: 'client',
    retryable: false,
    meaning: 'The fitted statistics of a model are missing or not those of its plan; train it again.',
  },
  PLAN_UNFITTABLE: {
    fault: 'client',
    retryable: false,
    meaning: 'Statistics of a plan cannot be computed from the rows. The message names the node and the reason.',
  },
  PLAN_INPUT_MISMATCHED: {
    fault: 'client',
    retryable: false,
    meaning: 'A plan gets other columns than its inputs are. The message lists each input with what to give instead.',
  },
  ROWS_UNREADABLE: {
    fault: 'client',
    retryable: true,
    meaning: 'A file of rows cannot be read to its end; check its path, its permissions and whether it is complete.',
  },
  ROWS_EMPTY: {
    fault: 'client',
    retryable: false,
    meaning: 'A file of rows has no row.',
  },
  ROWS_CORRUPT: {
    fault: 'client',
    retryable: false,
    meaning: 'Too many rows of a file cannot be used. The message says how many, why, and the line of the first.',
  },
  ROWS_MISMATCHED: {
    fault: 'client',
    retryable: false,
    meaning: 'The rows have a key that is spelled like an input of the spec which no row has; correct one of the two.',
  },
} as const satisfies ErrorCatalogue
