import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { Random } from '@freshet/domain/clock'
import { actions, type Action, type Engagement, type Subject } from '@freshet/domain/engagement'
import { asId, type BoardId, type CreatorId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'

/** Bounds of the simulated fold: small, so that windows pass within a few dozen events. */
export const simFold = {
  allowedLatenessMs: 60_000,
  dedupeWindowMs: 60_000,
  dedupeGenerations: 2,
  maxRecentActions: 8,
  compactAfterBytes: 200,
}

/** As far as the fold lets event times be ahead of their receipt. */
export const maxAheadMs = 300_000

const startMs = 1_700_000_000_000
const pinActions = actions.filter((action) => !['follow', 'unfollow', 'block', 'unblock'].includes(action))

/** What the outside sends: records of `engagements.v1` in the order of sending, repeats, late, damaged and foreign ones among them. */
export function createWorkload(random: Random): {
  next(): NewRecord
  /** A record that is neither late nor repeated, of a user and about a creator that nothing else is about. */
  canary(userId: string, creatorId: string): NewRecord
  /** An engagement that nothing else is about, of about now: for a letter. */
  unsent(): Engagement
  /** A record of `erasures.v1`: one of the users is erased now. */
  erasure(): NewRecord
} {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T
  const sent: NewRecord[] = []
  let timeMs = startMs
  let number = 0

  const engagement = (occurredAtMs: number): Engagement => {
    const action: Action = random.next() < 0.1 ? pick(['follow', 'unfollow', 'block', 'unblock']) : pick(pinActions)
    const onPin = pinActions.includes(action)
    const subject: Subject = onPin
      ? { kind: 'pin', pinId: asId<PinId>(`p${Math.floor(random.next() * 5)}`) }
      : { kind: 'creator', creatorId: asId<CreatorId>(`c${Math.floor(random.next() * 3)}`) }
    return {
      eventId: asId<EventId>(`e${number++}`),
      userId: asId<UserId>(`u${Math.floor(random.next() * 5)}`),
      sessionId: null,
      action,
      subject,
      boardId: action === 'save' || action === 'unsave' ? asId<BoardId>(`b${Math.floor(random.next() * 2)}`) : null,
      occurredAtMs,
      shown: { feedId: null, position: Math.floor(random.next() * 4), surface: 'home' },
      dwellMs: action === 'click' ? 1200 : null,
    }
  }

  return {
    erasure() {
      const userId = asId<UserId>(`u${Math.floor(random.next() * 5)}`)
      return { key: userId, value: encodeUserErasure({ userId, erasedAtMs: timeMs }), partition: null }
    },
    unsent: () => engagement(Math.floor(timeMs - random.next() * 5000)),
    canary(userId, creatorId) {
      const event: Engagement = {
        ...engagement(timeMs + maxAheadMs),
        userId: asId<UserId>(userId),
        action: 'unfollow',
        subject: { kind: 'creator', creatorId: asId<CreatorId>(creatorId) },
        boardId: null,
      }
      return { key: userId, value: encodeEngagement(event, timeMs), partition: null }
    },
    next() {
      timeMs += Math.floor(random.next() * 6000)
      const draw = random.next()
      if (draw < 0.15 && sent.length > 0) return pick(sent)
      if (draw < 0.18)
        return { key: `u${Math.floor(random.next() * 5)}`, value: Uint8Array.of(255, 1, 2), partition: null }
      if (draw < 0.2) {
        const foreign = engagement(timeMs)
        return { key: `${foreign.userId}x`, value: encodeEngagement(foreign, timeMs), partition: null }
      }
      if (draw < 0.22) return { key: `u${Math.floor(random.next() * 5)}`, value: null, partition: null }
      const behindMs = random.next() < 0.2 ? random.next() * 150_000 : random.next() * 5000
      const aheadMs = random.next() < 0.02 ? 3_600_000 : 0
      const event = engagement(Math.floor(timeMs - behindMs + aheadMs))
      const record = { key: event.userId, value: encodeEngagement(event, timeMs), partition: null }
      sent.push(record)
      return record
    },
  }
}
