import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every problem of an experiment file. */
export const experimentErrorCatalogue = {
  EXPERIMENTS_UNREADABLE: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'The experiment file cannot be read, is too large, or is not JSON.',
  },
  EXPERIMENTS_SHAPE: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'A field of the experiment file is missing, unknown, or has a value that is not allowed.',
  },
  EXPERIMENTS_NAME: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning:
      'Two layers, experiments or arms have the same name, two layers have the same salt, or a control is not an arm.',
  },
  EXPERIMENTS_SHARES: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning:
      'The arms of a layer need more buckets than there are, need the same bucket, or have a share of less than one bucket.',
  },
  EXPERIMENTS_PARAMETER: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'An arm sets a parameter that does not exist, or a value that the parameter does not take.',
  },
  EXPERIMENTS_SOURCE: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'An arm names a candidate source that does not exist.',
  },
  EXPERIMENTS_OVERLAP: {
    fault: 'client',
    retryable: false,
    exitCode: 78,
    meaning: 'Two layers change the same parameter. Put both experiments into one layer.',
  },
} as const satisfies ErrorCatalogue

export type ExperimentErrorCode = keyof typeof experimentErrorCatalogue

/** One problem of an experiment file. */
export interface ExperimentProblem {
  readonly code: ExperimentErrorCode
  /** Where in the file, for example `layers[0].experiments[1].arms[0].params.seed`; '': the whole file. */
  readonly path: string
  readonly text: string
}

/** An experiment file that cannot be used. The code is that of the first problem; the message names all. */
export class ExperimentsError extends CodedError<ExperimentErrorCode> {
  readonly problems: readonly ExperimentProblem[]

  constructor(file: string, problems: readonly ExperimentProblem[], options?: ErrorOptions) {
    const code = problems[0]?.code ?? 'EXPERIMENTS_SHAPE'
    const texts = problems.map((problem) => formatProblem(problem))
    super(code, experimentErrorCatalogue[code], `${file}: ${texts.join('; ')}`, options)
    this.problems = problems
  }
}

/** A problem as text: where, and what. */
export function formatProblem({ path, text }: ExperimentProblem): string {
  return path === '' ? text : `${path} ${text}`
}
