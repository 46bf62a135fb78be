import type { Engagement } from '@freshet/domain/engagement'
import { hash32 } from '@freshet/domain/hash'
import type { PinId } from '@freshet/domain/ids'

import type { Catalogue } from './catalogue.ts'
import type { RecentAction, RetrieveQuery } from './question.ts'
import type { Sessions } from './sessions.ts'

const manySamples = 512
const oneInAtFirst = 16
const oneInLater = 128
const seed = 0x1e550

/** What makes an action one of those that lessons are drawn from. */
export interface LessonKey {
  readonly userId: string
  readonly pinId: string
  readonly atMs: number
}

/**
 * Whether an action may become a lesson, one in `oneIn` (16, or a multiple of it) by its hash. Who trains something that
 * sources answer from leaves such actions out: a model that has seen the answer would be believed too much, and it may
 * well have, because its rows come by another topic.
 */
export function isLesson({ userId, pinId, atMs }: LessonKey, oneIn = oneInAtFirst): boolean {
  return hash32(`${userId}\n${pinId}\n${atMs}`, seed) % oneIn === 0
}

/** The views that know what a user did before. */
export interface LessonViews {
  readonly catalogue: Catalogue
  readonly sessions: Sessions
  readonly trails: Sessions
}

/**
 * The home-feed question that a positive action on a pin answers, as it could have been asked the moment before: the
 * user's trail as recent actions, none of its pins wanted again. null for what is no lesson: a user without a trail, a
 * pin of that trail, and all but one action in 16, in 128 once 512 samples were taken.
 */
export function lessonOf(
  { userId, sessionId, occurredAtMs: atMs }: Engagement,
  { pinId, samples }: { readonly pinId: PinId; readonly samples: number },
  { catalogue, sessions, trails }: LessonViews,
): RetrieveQuery | null {
  const oneIn = samples < manySamples ? oneInAtFirst : oneInLater
  if (!isLesson({ userId, pinId, atMs }, oneIn)) return null
  const trail = trails.find(userId, null, atMs)
  // What a user did later is known of one whose events come late: such a question was never asked.
  if (trail < 0 || trails.lastAtMs(trail) > atMs) return null
  const row = catalogue.rowOf(pinId)
  const session = sessions.find(userId, sessionId, atMs)
  const start = trails.startOf(trail)
  const length = trails.lengthOf(trail)
  const beforeSession = length - (session < 0 ? 0 : sessions.lengthOf(session))
  const exclude: PinId[] = []
  const recent: RecentAction[] = []
  for (let i = 0; i < length; i++) {
    const known = trails.pinRows[start + i] ?? -1
    if (catalogue.isGone(known)) continue
    if (known === row) return null
    const knownId = catalogue.pinIdOf(known)
    exclude.push(knownId)
    recent.push({
      pinId: knownId,
      action: 'click',
      occurredAtMs: trails.pinAtMs[start + i] ?? atMs,
      sessionId: i < beforeSession ? null : sessionId,
      boardId: null,
    })
  }
  return { surface: 'home', atMs, userId, sessionId, recent, exclude, limit: 1 }
}
