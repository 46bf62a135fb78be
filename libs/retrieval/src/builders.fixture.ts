import type { Action, Engagement } from '@freshet/domain/engagement'
import { asId, type BoardId, type EventId, type PinId, type SessionId, type UserId } from '@freshet/domain/ids'

import type { RetrievalConfigInput } from './config.ts'
import type { RecentAction, RetrieveQuery } from './question.ts'
import { createRetrieval, type Retrieval, type RetrievalOptions } from './retrieval.ts'
import { sourceDefinitions } from './source-definitions.ts'

/** Caps of views that are quick to create. */
export const quickCaps: RetrievalConfigInput = { maxPins: 1_000, maxBoards: 1_000, maxEdges: 5_000 }

/** A moment to count from in tests, milliseconds. */
export const startMs = Date.UTC(2026, 0, 1)
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** What a test says about an engagement; the rest is filled in. */
export interface EngagementInput {
  readonly userId?: string
  readonly sessionId?: string | null
  readonly pinId?: string
  readonly action?: Action
  readonly boardId?: string | null
  readonly atMs?: number
}

/** A click on pin `p` by user `u` at the start, unless said otherwise. */
export function anEngagement(input: EngagementInput = {}): Engagement {
  return {
    eventId: asId<EventId>('e'),
    userId: asId<UserId>(input.userId ?? 'u'),
    sessionId: input.sessionId == null ? null : asId<SessionId>(input.sessionId),
    action: input.action ?? 'click',
    subject: { kind: 'pin', pinId: asId<PinId>(input.pinId ?? 'p') },
    boardId: input.boardId == null ? null : asId<BoardId>(input.boardId),
    occurredAtMs: input.atMs ?? startMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
  }
}

/** Pin ids as ids. */
export function pins(...pinIds: readonly string[]): readonly PinId[] {
  return pinIds.map((pinId) => asId<PinId>(pinId))
}

/** A user's recent clicks, a minute apart, the last one a minute before `atMs`. */
export function recentClicks(pinIds: readonly string[], atMs = startMs + dayMs): readonly RecentAction[] {
  return pinIds.map((pinId, i) => ({
    pinId: asId<PinId>(pinId),
    action: 'click',
    occurredAtMs: atMs - (pinIds.length - i) * minuteMs,
    sessionId: null,
    boardId: null,
  }))
}

/** Clicks of one user on pins, a minute apart. */
export function foldTrail(retrieval: Retrieval, userId: string, pinIds: readonly string[], atMs = startMs): void {
  pinIds.forEach((pinId, i) => retrieval.foldEngagement(anEngagement({ userId, pinId, atMs: atMs + i * minuteMs })))
}

/** A home-feed query a day after the start, unless said otherwise. */
export function aQuery(rest: Partial<RetrieveQuery> = {}): RetrieveQuery {
  return { surface: 'home', atMs: startMs + dayMs, userId: asId<UserId>('asker'), limit: 100, ...rest }
}

/** Views updated per event, unless said otherwise, that show pins known from engagements alone, so that a test needs no catalogue. */
export function anOpenRetrieval(options: Partial<RetrievalOptions> = {}): Retrieval {
  return createRetrieval({
    seed: 1,
    refresh: 'event',
    ...options,
    config: { showUnlistedPins: true, ...options.config },
  })
}

/** Views with one source switched on, updated per event. */
export function onlySource(
  name: string,
  parameters: Readonly<Record<string, number | boolean>> = {},
  settings: { readonly maxCandidates?: number } = {},
  config: RetrievalConfigInput = {},
): Retrieval {
  const off = sourceDefinitions.filter((other) => other.name !== name)
  const sources = Object.fromEntries(off.map((other) => [other.name, { enabled: false }]))
  return anOpenRetrieval({
    config: { ...config, sources: { ...sources, [name]: { enabled: true, parameters, ...settings } } },
  })
}

/** All of an answer as plain data, for comparing. */
export function asData(retrieval: Retrieval, query: RetrieveQuery): unknown {
  const { pinIds, scores, sources } = retrieval.retrieve(query)
  return {
    pinIds,
    scores: [...scores],
    sources: sources.map((source) => ({
      name: source.name,
      pinIds: [...source.candidates].map((i) => pinIds[i]),
      scores: [...source.scores],
      ranks: [...source.ranks],
    })),
  }
}
