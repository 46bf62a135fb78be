interface RetrievalErrorKind {
  readonly fault: 'client' | 'server'
  /** Trying the same again may succeed. */
  readonly retryable: boolean
  readonly meaning: string
}

const config = { fault: 'client', retryable: false } as const
const snapshot = { fault: 'server', retryable: false } as const
const embedding = { fault: 'client', retryable: false } as const

/** Every error of the views and their settings. After a snapshot's, the views start empty and the log is replayed. */
export const retrievalErrorCatalogue = {
  RETRIEVAL_CONFIG_INVALID: {
    ...config,
    meaning: 'Settings of the candidate sources are wrong; all of them are listed.',
  },
  RETRIEVAL_UNKNOWN_SOURCE: {
    ...config,
    meaning: 'No candidate source has this name; the message lists those there are.',
  },
  SNAPSHOT_NOT_A_SNAPSHOT: { ...snapshot, meaning: 'A file is no snapshot of views; the log is replayed.' },
  SNAPSHOT_OTHER_VERSION: {
    ...snapshot,
    meaning: 'A snapshot is of another version of the code; the log is replayed.',
  },
  SNAPSHOT_OTHER_CONFIG: { ...snapshot, meaning: 'A snapshot is of other settings; the log is replayed.' },
  SNAPSHOT_TRUNCATED: { ...snapshot, meaning: 'A snapshot is cut short; the log is replayed.' },
  SNAPSHOT_CORRUPT: { ...snapshot, meaning: 'The bytes of a snapshot are not those written; the log is replayed.' },
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

/** Why a snapshot was not read. Each means: start empty and replay the log. */
export type SnapshotErrorCode = CodeOf<'SNAPSHOT'>

/** A snapshot that can't be used; the views are left as they were, or empty. Not retryable: replay the log instead. */
export class SnapshotError extends Error {
  readonly code: SnapshotErrorCode

  constructor(code: SnapshotErrorCode, message: string) {
    super(`${code}: ${message}`)
    this.name = 'SnapshotError'
    this.code = code
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
