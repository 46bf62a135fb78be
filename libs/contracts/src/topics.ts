import type { TopicLayout } from './ports/event-log.ts'

const dayMs = 86_400_000

interface TopicSpec {
  /** What the record key is. */
  readonly key:
    | 'user id'
    | 'pin id'
    | 'creator id'
    | 'board id'
    | 'surface and version'
    | 'artefact, digest, part'
    | 'source partition'
  readonly cleanup: 'delete' | 'compact'
  /** As in `TopicLayout`. */
  readonly minCompactionLagMs?: number
  /** As in `TopicLayout`. */
  readonly segmentBytes?: number
  /** null: forever. */
  readonly retentionMs: number | null
  /** Full name of the protobuf message in the value. */
  readonly message: string
  /** The version of the message, from 1; it grows when fields are added, and equals the number of its newest golden bytes. Records carry it as the header `schema`. */
  readonly schemaVersion: number
  readonly meaning: string
}

/** Every topic. Add new topics here. */
export const topics = {
  'engagements.v1': {
    key: 'user id',
    cleanup: 'delete',
    retentionMs: 30 * dayMs,
    message: 'freshet.engagement.v1.Engagement',
    schemaVersion: 3,
    meaning: 'What users did, as accepted.',
  },
  'pins.v1': {
    key: 'pin id',
    cleanup: 'compact',
    // The keeper of the catalogue appends the newest record of a pin again if a stale one came last.
    minCompactionLagMs: dayMs,
    retentionMs: null,
    message: 'freshet.catalogue.v1.Pin',
    schemaVersion: 3,
    meaning: 'The catalogue.',
  },
  'creators.v1': {
    key: 'creator id',
    cleanup: 'compact',
    minCompactionLagMs: dayMs,
    retentionMs: null,
    message: 'freshet.catalogue.v1.Creator',
    schemaVersion: 1,
    meaning: 'Creators: their names, and whose pins are not shown.',
  },
  'boards.v1': {
    key: 'board id',
    cleanup: 'compact',
    minCompactionLagMs: dayMs,
    retentionMs: null,
    message: 'freshet.catalogue.v1.Board',
    schemaVersion: 2,
    meaning: 'Boards: their owners and titles, and which of them link no pins.',
  },
  'pin-engagements.v1': {
    key: 'source partition',
    cleanup: 'delete',
    retentionMs: 30 * dayMs,
    message: 'freshet.engagement.v1.PinEngagementBatch',
    schemaVersion: 2,
    meaning:
      'Engagements by what they are about, for pin state: one record for each batch and target partition. Records of earlier versions hold one `PinEngagement` each, by pin id.',
  },
  'pin-features.v1': {
    key: 'pin id',
    cleanup: 'compact',
    retentionMs: null,
    message: 'freshet.state.v1.PinFeatures',
    schemaVersion: 2,
    meaning: 'Pin state, for the ranker.',
  },
  'pin-embeddings.v1': {
    key: 'pin id',
    cleanup: 'compact',
    retentionMs: null,
    message: 'freshet.model.v1.PinEmbedding',
    schemaVersion: 2,
    meaning: 'Embeddings of touched pins.',
  },
  'models.v1': {
    key: 'surface and version',
    cleanup: 'compact',
    retentionMs: null,
    message: 'freshet.model.v1.ModelRecord',
    schemaVersion: 1,
    meaning: 'The registry of models: which one serves, and what became of the others.',
  },
  'model-files.v1': {
    key: 'artefact, digest, part',
    cleanup: 'compact',
    // A ranker that starts reads what is not compacted yet, and Kafka compacts only segments that are full.
    segmentBytes: 64 << 20,
    retentionMs: null,
    message: 'freshet.model.v1.ArtefactPart',
    schemaVersion: 1,
    meaning: 'The files of the models that the registry names, in parts, for the rankers.',
  },
  'feeds-served.v1': {
    key: 'user id',
    cleanup: 'delete',
    retentionMs: 30 * dayMs,
    message: 'freshet.feed.v1.FeedServed',
    schemaVersion: 5,
    meaning: 'What was shown and why, with the features as used, and a sample of what was not shown.',
  },
  'engagements-late.v1': {
    key: 'user id',
    cleanup: 'delete',
    retentionMs: 30 * dayMs,
    message: 'freshet.engagement.v1.LateEngagement',
    schemaVersion: 3,
    meaning:
      'Engagements that earlier versions kept aside as too late. Nothing is written to it any more; `freshet dlq replay` applies them.',
  },
  'dead-letters.v1': {
    key: 'user id',
    cleanup: 'delete',
    retentionMs: 30 * dayMs,
    message: 'freshet.engagement.v1.DeadLetter',
    schemaVersion: 1,
    meaning: 'Records that could not be applied.',
  },
  'erasures.v1': {
    key: 'user id',
    cleanup: 'compact',
    retentionMs: null,
    message: 'freshet.engagement.v1.UserErasure',
    schemaVersion: 1,
    meaning: 'Users to be forgotten.',
  },
} as const satisfies Record<string, TopicSpec>

export type TopicName = keyof typeof topics

/** Largest record of any topic: 1 MiB, Kafka's default limit. */
export const maxRecordBytes = 1 << 20

/** The catalogue as `EventLog.applyTopics` takes it, all topics with the same number of partitions so that a user's partition is the same everywhere. */
export function topicLayouts(partitions: number): readonly TopicLayout[] {
  return Object.entries<TopicSpec>(topics).map(
    ([name, { cleanup, retentionMs, minCompactionLagMs, segmentBytes }]) => ({
      name,
      partitions,
      cleanup,
      retentionMs,
      maxRecordBytes,
      ...(minCompactionLagMs !== undefined && { minCompactionLagMs }),
      ...(segmentBytes !== undefined && { segmentBytes }),
    }),
  )
}
