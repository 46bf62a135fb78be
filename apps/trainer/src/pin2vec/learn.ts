import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import { positiveActions } from '@freshet/domain/engagement'
import type { Pin2Vec } from '@freshet/embeddings/pin2vec'

/** The topics that Pin2Vec learns from. */
export const learnedTopics = ['pins.v1', 'engagements.v1'] as const satisfies readonly TopicName[]

/** Learns from one record of `learnedTopics`. Throws CODEC_INVALID if it cannot be decoded. */
export function learnRecord(model: Pin2Vec, topic: string, { key, value }: LogRecord): void {
  if (topic === 'pins.v1') return model.foldPin(decodePinChange(key, value))
  // The updater's tombstone of a user who was erased.
  if (value === null) return model.forgetUser(key)
  // Sessions of a merged user stay sessions of their own.
  if (isUserMerge(value)) return
  const { subject, action, userId, sessionId, occurredAtMs } = decodeEngagement(value)
  if (subject.kind !== 'pin') return
  const act = { userId, sessionId, pinId: subject.pinId, atMs: occurredAtMs }
  if (positiveActions.includes(action)) model.fold(act)
  else if (action === 'unsave') model.withdraw(act)
}
