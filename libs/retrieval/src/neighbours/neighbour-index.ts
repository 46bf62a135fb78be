import type { RowHolder } from '../views/recycling.ts'
import type { WithdrawnSave } from '../views/saves.ts'
import type { SessionLists } from '../views/session-lists.ts'
import { createSessions, type SessionAction, type Sessions, type SessionsOptions } from '../views/sessions.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createLagView, type LagCounts } from './lags.ts'
import { holdsUser, type Shard } from './shard.ts'

/** The lists of the index: `trails` hold all actions of a user in one list, `sessions` one list for each session. */
export const listNames = ['trails', 'sessions'] as const
export type ListName = (typeof listNames)[number]

/** The asker: the user, the session if it has an id, and the time of the request, milliseconds since the epoch. */
export interface Asker {
  readonly userId: string
  readonly sessionId: string | null
  readonly atMs: number
}

/** The index over all users as one query reads it, held by this process or gathered from shards. */
export interface IndexReading {
  readonly trails: SessionLists
  readonly sessions: SessionLists
  readonly lags: LagCounts
  /** The asker's own rows in both lists, which must not count as neighbours; -1 if there is none. */
  readonly ownTrail: number
  readonly ownSession: number
}

/**
 * The trails and sessions of the users of one shard, and for each pin the users who touched it. Only these views grow with
 * users' actions and are read by user, so they can be spread over instances by user: each instance holds the lists and
 * the counts of its own users only.
 */
export interface NeighbourIndex {
  readonly trails: Sessions
  readonly sessions: Sessions
  readonly lags: LagCounts
  /** Folds a positive action on a pin; it ignores users of other shards. */
  fold(action: SessionAction): void
  /** Takes back saves of a pin; the lag counts stay as they are. */
  withdraw(userId: string, pinRow: number, saves: readonly WithdrawnSave[]): void
  /** Forgets a user's trail and sessions; the counts stay as they are. */
  forget(userId: string): void
  /** Removes a gone pin. */
  letGo(pinRow: number): void
  /** Lists that may hold rows of gone pins. */
  readonly holders: readonly RowHolder[]
  /** The index for a query of `asker`, if this process holds all of it. */
  read(asker: Asker | null): IndexReading
  /** The steps that write the index into a snapshot. */
  readonly saving: readonly ((writer: SectionWriter) => void)[]
  load(reader: SectionReader): void
}

/** Creates an empty index for the users of a shard. */
export function createNeighbourIndex(options: Omit<SessionsOptions, 'grouping'>, shard: Shard): NeighbourIndex {
  const trails = createSessions({ ...options, grouping: 'user' })
  const sessions = createSessions({ ...options, grouping: 'session' })
  const lags = createLagView(trails, options.isGone)
  return {
    trails,
    sessions,
    lags,
    fold(action) {
      if (!holdsUser(shard, action.userId)) return
      lags.count(action.userId, action.pinRow, action.atMs)
      trails.fold(action)
      sessions.fold(action)
    },
    withdraw(userId, pinRow, saves) {
      // If another action came before the save, the user has touched the pin anyway.
      if (!holdsUser(shard, userId) || !saves.some(({ isFirst }) => isFirst)) return
      const isTaken = (atMs: number): boolean => saves.some((save) => save.atMs === atMs)
      trails.withdraw(userId, pinRow, isTaken)
      sessions.withdraw(userId, pinRow, isTaken)
    },
    forget(userId) {
      trails.forget(userId)
      sessions.forget(userId)
    },
    letGo(pinRow) {
      trails.letGo(pinRow)
      sessions.letGo(pinRow)
    },
    holders: [trails, sessions],
    read(asker) {
      const own = (lists: Sessions): number =>
        asker === null ? -1 : lists.find(asker.userId, asker.sessionId, asker.atMs)
      return { trails, sessions, lags, ownTrail: own(trails), ownSession: own(sessions) }
    },
    saving: [
      (writer) => trails.save(writer.under('trails')),
      (writer) => sessions.save(writer.under('sessions')),
      (writer) => lags.save(writer.under('lags')),
    ],
    load(reader) {
      trails.load(reader.under('trails'))
      sessions.load(reader.under('sessions'))
      lags.load(reader.under('lags'))
    },
  }
}
