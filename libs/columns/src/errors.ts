import { CodedError, type ErrorCatalogue } from '@freshet/domain/coded-error'

/** Every error of a snapshot that cannot be used. */
export const snapshotErrorCatalogue = {
  SNAPSHOT_NOT_A_SNAPSHOT: {
    fault: 'server',
    retryable: false,
    meaning: 'A file is not a snapshot of views. The service replays the log.',
  },
  SNAPSHOT_OTHER_VERSION: {
    fault: 'server',
    retryable: false,
    meaning: 'Another version of the code wrote the snapshot. The service replays the log.',
  },
  SNAPSHOT_OTHER_CONFIG: {
    fault: 'server',
    retryable: false,
    meaning: 'The snapshot was written with other settings. The service replays the log.',
  },
  SNAPSHOT_TRUNCATED: {
    fault: 'server',
    retryable: false,
    meaning: 'The snapshot is truncated. The service replays the log.',
  },
  SNAPSHOT_CORRUPT: {
    fault: 'server',
    retryable: false,
    meaning: 'The checksum of the snapshot does not match. The service replays the log.',
  },
} as const satisfies ErrorCatalogue

/** Why a snapshot was not read. Each means: start empty and replay the log. */
export type SnapshotErrorCode = keyof typeof snapshotErrorCatalogue

/** A snapshot that cannot be used; the views are left as they were, or empty. Not retryable: replay the log instead. */
export class SnapshotError extends CodedError<SnapshotErrorCode> {
  constructor(code: SnapshotErrorCode, message: string) {
    super(code, snapshotErrorCatalogue[code], message)
  }
}
