interface RetrievalErrorKind {
  readonly fault: 'client' | 'server'
  /** Trying the same again may succeed. */
  readonly retryable: boolean
  readonly meaning: string
}

const config = { fault: 'client', retryable: false } as const
const embedding = { fault: 'client', retryable: false } as const

/** Every error of the views and their settings; those of snapshots are in `@freshet/columns/errors`. */
export const retrievalErrorCatalogue = {
  RETRIEVAL_CONFIG_INVALID: {
    ...config,
    meaning: 'Settings of the candidate sources are wrong; all of them are listed.',
  },
  RETRIEVAL_UNKNOWN_SOURCE: {
    ...config,
    meaning: 'No candidate source has this name; the message lists those there are.',
  },
  EMBEDDING_WRONG_WIDTH: {
    ...embedding,
    meaning: 'An embedding has another width than the view; the pin keeps what it had.',
  },
  EMBEDDING_NOT_FINITE: { ...embedding, meaning: 'An embedding holds NaN or infinity; the pin keeps what it had.' },
  EMBEDDING_ZERO_NORM: { ...embedding, meaning: 'An embedding is all zero; the pin keeps what it had.' },
} as const satisfies Record<string, RetrievalErrorKind>

type CodeOf<Prefix extends string> = Extract<keyof typeof retrievalErrorCatalogue, `${Prefix}_${string}`>

/** What is wrong with a retrieval configuration. */
export type RetrievalConfigErrorCode = CodeOf<'RETRIEVAL'>

/** A configuration that can't be used; `problems` lists every fault found, one sentence each. The operator's fault, not retryable. */
export class RetrievalConfigError extends Error {
  readonly code: RetrievalConfigErrorCode
  readonly problems: readonly string[]

  constructor(code: RetrievalConfigErrorCode, problems: readonly string[]) {
    super(`${code}: ${problems.join('; ')}`)
    this.name = 'RetrievalConfigError'
    this.code = code
    this.problems = problems
  }
}

/** What is wrong with an embedding given to the views. */
export type EmbeddingErrorCode = CodeOf<'EMBEDDING'>

/** An embedding that the views refuse; the sender's fault, not retryable. The view keeps what it had for the pin. */
export class EmbeddingError extends Error {
  readonly code: EmbeddingErrorCode

  constructor(code: EmbeddingErrorCode, message: string) {
    super(`${code}: ${message}`)
    this.name = 'EmbeddingError'
    this.code = code
  }
}
