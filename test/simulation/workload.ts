import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { Random } from '@freshet/domain/clock'
import { actions, type Action, type Engagement, type Subject } from '@freshet/domain/engagement'
import { asId, type BoardId, type CreatorId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { defaultUserLimits, type UserLimits } from '@freshet/domain/user-state'

/** Bounds of the simulated fold: small, so that windows pass within a few dozen events. */
export const simFold = {
  dedupeWindowMs: 60_000,
  dedupeGenerations: 2,
  maxRecentActions: 8,
  maxRelationsPerKind: 2,
  maxOlderRelationsPerKind: 2,
  compactAfterBytes: 200,
}

/** The caps of a user's state under `simFold`. */
export const simLimits: UserLimits = {
  ...defaultUserLimits,
  maxRecentActions: simFold.maxRecentActions,
  maxRelationsPerKind: simFold.maxRelationsPerKind,
  maxOlderRelations: simFold.maxOlderRelationsPerKind,
}

/** Bounds of the fold in histories with merges: no cap is reached, because beyond a cap the state cannot keep the law of merges exactly. */
export const mergingFold = {
  dedupeWindowMs: simFold.dedupeWindowMs,
  dedupeGenerations: simFold.dedupeGenerations,
  compactAfterBytes: simFold.compactAfterBytes,
  maxSessions: 1000,
  mergeForwardMs: 30_000,
}

/** The caps of a user's state under `mergingFold`. */
export const mergingLimits: UserLimits = {
  ...defaultUserLimits,
  sessions: { ...defaultUserLimits.sessions, maxKept: mergingFold.maxSessions },
}

/** Users of histories with merges, in both partitions. */
export const mergedUsers = ['u0', 'u1', 'u2', 'u5', 'v1'] as const

/** As far as the fold lets event times be ahead of their receipt. */
export const maxAheadMs = 300_000

const dayMs = 86_400_000

const startMs = 1_700_000_000_000
const pinActions = actions.filter((action) => !['follow', 'unfollow', 'block', 'unblock'].includes(action))

/** What the outside sends: records of `engagements.v1` in the order of sending, repeats (some of them received long after the first), events of days and years ago, from the future and from an ingest whose clock is wrong, histories sorted by user, damaged and foreign ones among them. */
export function createWorkload(
  random: Random,
  users: readonly [string, string, string, string, string] = ['u0', 'u1', 'u2', 'u3', 'u4'],
): {
  next(): NewRecord
  /** A record that is not repeated, of a user and about a creator that nothing else is about. */
  canary(userId: string, creatorId: string): NewRecord
  /** An engagement that nothing else is about, of about now: for a letter. */
  unsent(): Engagement
  /** A merge of two users, or one that was sent before. */
  merge(): NewRecord
  /** A record of `erasures.v1`: one of the users is erased now. */
  erasure(): NewRecord
} {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T
  const aUser = (): string => users[Math.floor(random.next() * 5)] ?? ''
  const sent: { readonly event: Engagement; readonly record: NewRecord }[] = []
  const history: Engagement[] = []
  const merges: NewRecord[] = []
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
      userId: asId<UserId>(aUser()),
      sessionId: null,
      action,
      subject,
      boardId: action === 'save' || action === 'unsave' ? asId<BoardId>(`b${Math.floor(random.next() * 2)}`) : null,
      occurredAtMs,
      shown: { feedId: null, position: Math.floor(random.next() * 4), surface: 'home' },
      dwellMs: action === 'click' ? 1200 : null,
      // Every fourth has a weight, so that batches have rows with and without.
      ...(number % 4 === 0 && { weightThousandths: 1 + ((number * 37) % 999) }),
    }
  }

  const recordOf = (event: Engagement, receivedAtMs: number): NewRecord => ({
    key: event.userId,
    value: encodeEngagement(event, receivedAtMs),
    partition: null,
  })

  /** How far from now an event happened: seconds ago mostly, days or years ago at times, and seldom yet to come. */
  const awayMs = (): number => {
    const draw = random.next()
    if (draw < 0.02) return draw < 0.005 ? 3650 * dayMs : 3_600_000
    return -random.next() * (draw < 0.06 ? 3 * 365 * dayMs : draw < 0.15 ? 40 * dayMs : draw < 0.3 ? 150_000 : 5000)
  }

  /** When an event was received: now, but for ingests whose clocks are behind, or wrong altogether. */
  const receiptMs = (): number => {
    const draw = random.next()
    return draw < 0.01 ? timeMs + 3650 * dayMs : draw < 0.06 ? timeMs - 20_000 : timeMs
  }

  /** Years of one user, in the order in which they happened. */
  const ofOneUser = (): readonly Engagement[] => {
    const userId = asId<UserId>(aUser())
    return Array.from({ length: 5 }, (_, back) => ({ ...engagement(timeMs - (5 - back) * 100 * dayMs), userId }))
  }

  /** One user hides more pins than are kept by id, and an older change of the first of them comes last. */
  const hidesOfOneUser = (): readonly Engagement[] => {
    const userId = asId<UserId>(aUser())
    const of = (action: Action, pin: number, agoMs: number): Engagement => ({
      ...engagement(timeMs - agoMs),
      userId,
      action,
      subject: { kind: 'pin', pinId: asId<PinId>(`p${pin}`) },
      boardId: null,
    })
    const hides = [0, 1, 2, 3].map((pin) => of('hide', pin, 4000 - pin * 1000))
    return [...hides, of('unhide', Math.floor(random.next() * 2), 10_000)]
  }

  return {
    erasure() {
      const userId = asId<UserId>(aUser())
      return { key: userId, value: encodeUserErasure({ userId, erasedAtMs: timeMs }), partition: null }
    },
    merge() {
      if (merges.length > 0 && random.next() < 0.3) return pick(merges)
      const from = Math.floor(random.next() * 5)
      const [fromUserId = '', intoUserId = ''] = [users[from], users[(from + 1 + Math.floor(random.next() * 4)) % 5]]
      const value = encodeMergeRequest({ fromUserId, intoUserId, occurredAtMs: timeMs, receivedAtMs: receiptMs() })
      const record = { key: fromUserId, value, partition: null }
      merges.push(record)
      return record
    },
    unsent: () => engagement(Math.floor(timeMs - random.next() * 5000)),
    canary(userId, creatorId) {
      const event: Engagement = {
        ...engagement(timeMs),
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
      if (draw < 0.15 && sent.length > 0) {
        const { event, record } = pick(sent)
        return random.next() < 0.5 ? record : recordOf(event, timeMs)
      }
      if (draw < 0.18) return { key: aUser(), value: Uint8Array.of(255, 1, 2), partition: null }
      if (draw < 0.2) {
        const foreign = engagement(timeMs)
        return { key: `${foreign.userId}x`, value: encodeEngagement(foreign, timeMs), partition: null }
      }
      if (draw < 0.22) return { key: aUser(), value: null, partition: null }
      if (draw < 0.25 && history.length === 0) history.push(...(random.next() < 0.3 ? hidesOfOneUser() : ofOneUser()))
      const event = history.shift() ?? engagement(Math.floor(timeMs + awayMs()))
      const record = recordOf(event, receiptMs())
      sent.push({ event, record })
      return record
    },
  }
}
