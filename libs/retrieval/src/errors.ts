import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

const config = { fault: 'client', retryable: false, exitCode: 78 } as const
const embedding = { fault: 'client', retryable: false } as const

/** Every error of the views and their settings; those of snapshots are in `@freshet/columns/errors`. */
export const retrievalErrorCatalogue = {
  RETRIEVAL_CONFIG_INVALID: {
    ...config,
    meaning: 'Settings of the candidate sources are wrong. The message lists every problem.',
  },
  RETRIEVAL_UNKNOWN_SOURCE: {
    ...config,
    meaning: 'No candidate source has this name. The message lists the sources.',
  },
  EMBEDDING_WRONG_WIDTH: {
    ...embedding,
    meaning: 'An embedding has a different width than the view. The pin keeps its previous embedding.',
  },
  EMBEDDING_NOT_FINITE: {
    ...embedding,
    meaning: 'An embedding contains NaN or infinity. The pin keeps its previous embedding.',
  },
  EMBEDDING_ZERO_NORM: { ...embedding, meaning: 'An embedding is all zero. The pin keeps its previous embedding.' },
  IMAGE_SEARCH_OFF: {
    ...embedding,
    meaning:
      'A request searches by a picture, but no pin has a visual embedding, or the source of visual neighbours is off.',
  },
  IMAGE_PIN_WITHOUT_EMBEDDING: {
    ...embedding,
    meaning:
      'A request searches by the picture of a pin that is not in the catalogue, or has no visual embedding that can be compared.',
  },
  IMAGE_WRONG_WIDTH: {
    ...embedding,
    meaning: 'A request searches by an embedding that has a different width than those of the catalogue.',
  },
  IMAGE_NOT_FINITE: {
    ...embedding,
    meaning: 'A request searches by an embedding that contains NaN or infinity, or is all zero.',
  },
} as const satisfies ErrorCatalogue

type CodeOf<Prefix extends string> = Extract<keyof typeof retrievalErrorCatalogue, `${Prefix}_${string}`>

/** What is wrong with a retrieval configuration. */
export type RetrievalConfigErrorCode = CodeOf<'RETRIEVAL'>

/** A configuration that can't be used; `problems` lists every fault found, one sentence each. The operator's fault, not retryable. */
export class RetrievalConfigError extends CodedError<RetrievalConfigErrorCode> {
  readonly problems: readonly string[]

  constructor(code: RetrievalConfigErrorCode, problems: readonly string[]) {
    super(code, retrievalErrorCatalogue[code], problems.join('; '))
    this.problems = problems
  }
}

/** What is wrong with an embedding given to the views. */
export type EmbeddingErrorCode = CodeOf<'EMBEDDING'>

/** An embedding that the views refuse; the sender's fault, not retryable. The view keeps what it had for the pin. */
export class EmbeddingError extends CodedError<EmbeddingErrorCode> {
  constructor(code: EmbeddingErrorCode, message: string) {
    super(code, retrievalErrorCatalogue[code], message)
  }
}

/** What is wrong with a picture to search with. */
export type ImageQuestionErrorCode = CodeOf<'IMAGE'>

/** A picture that cannot be searched with; the caller's fault, not retryable. */
export class ImageQuestionError extends CodedError<ImageQuestionErrorCode> {
  constructor(code: ImageQuestionErrorCode, message: string) {
    super(code, retrievalErrorCatalogue[code], message)
  }
}
