import type { RowHolder } from '../views/recycling.ts'
import type { WithdrawnSave } from '../views/saves.ts'
import type { SessionLists } from '../views/session-lists.ts'
import { createSessions, type SessionAction, type Sessions, type SessionsOptions } from '../views/sessions.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createLagView, type LagCounts } from './lags.ts'
import { holdsUser, type Shard } from './shard.ts'

/** The lists that the index is made of: what users did, all of a user in one, and the same by session. */
export const listNames = ['trails', 'sessions'] as const
export type ListName = (typeof listNames)[number]

/** Who asks: the user, the session where it has an id, and when, milliseconds. */
export interface Asker {
  readonly userId: string
  readonly sessionId: string | null
  readonly atMs: number
}

/** The index as one question reads it: of all users, whether this process holds them or shards gave their parts. */
export interface IndexReading {
  readonly trails: SessionLists
  readonly sessions: SessionLists
  readonly lags: LagCounts
  /** The asker's own rows in both, which are no neighbours of themselves; -1 where there is none. */
  readonly ownTrail: number
  readonly ownSession: number
}

/**
 * What the users of one shard did one after the other, and which of them touched which pin. The only views that grow with
 * what users did and are read by user, so that they can be spread over instances by users: each holds its own users' part
 * and what is counted of it, and nothing of other users.
 */
export interface NeighbourIndex {
  readonly trails: Sessions
  readonly sessions: Sessions
  readonly lags: LagCounts
  /** Folds a positive action on a pin; one of another shard's user changes nothing. */
  fold(action: SessionAction): void
  /** Takes back saves of a pin; how often users go back how far stays as it was counted. */
  withdraw(userId: string, pinRow: number, saves: readonly WithdrawnSave[]): void
  /** Lets go of what a user did; what was counted of it stays counted. */
  forget(userId: string): void
  /** A pin has gone. */
  letGo(pinRow: number): void
  /** What may hold rows of pins that have gone. */
  readonly holders: readonly RowHolder[]
  /** The index as a question of `asker` reads it where this process holds all of it. */
  read(asker: Asker | null): IndexReading
  /** What puts the index into a snapshot, in steps. */
  readonly saving: readonly ((writer: SectionWriter) => void)[]
  load(reader: SectionReader): void
}

/** An empty index of a shard's users. */
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
      // Where something came before the save the pin was touched all the same.
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
