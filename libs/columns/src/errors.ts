/** Every error of a snapshot that can't be used. */
export const snapshotErrorCatalogue = {
  SNAPSHOT_NOT_A_SNAPSHOT: {
    fault: 'server',
    retryable: false,
    meaning: 'A file is not a snapshot of views; the log is replayed.',
  },
  SNAPSHOT_OTHER_VERSION: {
    fault: 'server',
    retryable: false,
    meaning: 'A snapshot is of another version of the code; the log is replayed.',
  },
  SNAPSHOT_OTHER_CONFIG: {
    fault: 'server',
    retryable: false,
    meaning: 'A snapshot is of other settings; the log is replayed.',
  },
  SNAPSHOT_TRUNCATED: { fault: 'server', retryable: false, meaning: 'A snapshot is cut short; the log is replayed.' },
  SNAPSHOT_CORRUPT: {
    fault: 'server',
    retryable: false,
    meaning: 'The bytes of a snapshot are not those written; the log is replayed.',
  },
} as const

/** Why a snapshot was not read. Each means: start empty and replay the log. */
export type SnapshotErrorCode = keyof typeof snapshotErrorCatalogue

/** A snapshot that can't be used; the views are left as they were, or empty. Not retryable: replay the log instead. */
export class SnapshotError extends Error {
  readonly code: SnapshotErrorCode

  constructor(code: SnapshotErrorCode, message: string) {
    super(`${code}: ${message}`)
    this.name = 'SnapshotError'
    this.code = code
  }
}
