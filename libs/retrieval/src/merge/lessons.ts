import type { Engagement } from '@freshet/domain/engagement'
import { heldOutOneIn, isHeldOut } from '@freshet/domain/held-out'
import type { PinId, SessionId } from '@freshet/domain/ids'

import type { Catalogue } from '../views/catalogue.ts'
import type { RecentAction, RetrieveQuery } from '../question.ts'
import type { Sessions } from '../views/sessions.ts'

/** From so many samples on one action in so many is a lesson. */
const seldomer = [
  { samples: 2_048, oneIn: 64 },
  { samples: 4_096, oneIn: 256 },
] as const
/** From so many samples on a lesson comes no sooner after the last one, by the time of events, so that a busy log can be kept up with. */
const manySamples = 512
const leastGapMs = 50

/** The views that know what a user did before. */
export interface LessonViews {
  readonly catalogue: Catalogue
  readonly sessions: Sessions
  readonly trails: Sessions
}

/** What is known of lessons so far, and what the user did since the views were brought up to date. */
export interface LessonState {
  readonly samples: number
  /** The time of the last one; -Infinity: there was none. */
  readonly lastLessonMs: number
  readonly waiting: readonly RecentAction[]
}

/**
 * The home-feed question that a positive action on a pin answers, as it could have been asked the moment before: the
 * user's trail as recent actions. null for what is no lesson: a user of whom nothing is known, all but one action in 16 (in
 * 64 and 256 once many samples were taken), and one too soon after another.
 */
export function lessonOf(
  { userId, sessionId, occurredAtMs: atMs }: Engagement,
  { pinId, samples, lastLessonMs, waiting }: LessonState & { readonly pinId: PinId },
  { catalogue, sessions, trails }: LessonViews,
): RetrieveQuery | null {
  const oneIn = seldomer.findLast((step) => samples >= step.samples)?.oneIn ?? heldOutOneIn
  if (!isHeldOut({ userId, pinId, atMs }, oneIn)) return null
  if (samples >= manySamples && Math.abs(atMs - lastLessonMs) < leastGapMs) return null
  // What a user did later is known of one whose events come late: such a question was never asked.
  const trail = trails.find(userId, null, atMs)
  if (trail >= 0 && trails.lastAtMs(trail) > atMs) return null
  const recent = [...trailOf({ userId, sessionId, atMs }, { catalogue, sessions, trails }), ...waiting]
  if (recent.length === 0) return null
  return { surface: 'home', atMs, userId, sessionId, recent, limit: 1 }
}

function trailOf(
  { userId, sessionId, atMs }: { readonly userId: string; readonly sessionId: SessionId | null; readonly atMs: number },
  { catalogue, sessions, trails }: LessonViews,
): RecentAction[] {
  const trail = trails.find(userId, null, atMs)
  if (trail < 0) return []
  const session = sessions.find(userId, sessionId, atMs)
  const start = trails.startOf(trail)
  const length = trails.lengthOf(trail)
  const beforeSession = length - (session < 0 ? 0 : sessions.lengthOf(session))
  const recent: RecentAction[] = []
  for (let i = 0; i < length; i++) {
    const row = trails.pinRows[start + i] ?? -1
    if (catalogue.isGone(row)) continue
    recent.push({
      pinId: catalogue.pinIdOf(row),
      action: 'click',
      occurredAtMs: trails.pinAtMs[start + i] ?? atMs,
      sessionId: i < beforeSession ? null : sessionId,
      boardId: null,
    })
  }
  return recent
}
