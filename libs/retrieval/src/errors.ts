/** What is wrong with a retrieval configuration. */
export type RetrievalConfigErrorCode = 'RETRIEVAL_CONFIG_INVALID' | 'RETRIEVAL_UNKNOWN_SOURCE'

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
export type SnapshotErrorCode =
  | 'SNAPSHOT_NOT_A_SNAPSHOT'
  | 'SNAPSHOT_OTHER_VERSION'
  | 'SNAPSHOT_OTHER_CONFIG'
  | 'SNAPSHOT_TRUNCATED'
  | 'SNAPSHOT_CORRUPT'

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
export type EmbeddingErrorCode = 'EMBEDDING_WRONG_WIDTH' | 'EMBEDDING_NOT_FINITE' | 'EMBEDDING_ZERO_NORM'

/** An embedding that the views refuse; the sender's fault, not retryable. The view keeps what it had for the pin. */
export class EmbeddingError extends Error {
  readonly code: EmbeddingErrorCode

  constructor(code: EmbeddingErrorCode, message: string) {
    super(`${code}: ${message}`)
    this.name = 'EmbeddingError'
    this.code = code
  }
}
