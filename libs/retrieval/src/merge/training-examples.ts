import type { Engagement } from '@freshet/domain/engagement'
import { heldOutOneIn, isHeldOut } from '@freshet/domain/held-out'
import type { PinId, SessionId } from '@freshet/domain/ids'

import type { Catalogue } from '../views/catalogue.ts'
import type { RecentAction, RetrieveQuery } from '../question.ts'
import type { Sessions } from '../views/sessions.ts'

/** Once the merge has learned from `samples` actions, only one action in `oneIn` becomes a training example. */
const samplingSteps = [
  { samples: 2_048, oneIn: 64 },
  { samples: 4_096, oneIn: 256 },
] as const
/** After this many samples, training examples are at least `leastGapMs` of event time apart, so that learning keeps up with a busy log. */
const manySamples = 512
const leastGapMs = 50

/** The views that hold what each user did before. */
export interface HistoryViews {
  readonly catalogue: Catalogue
  readonly sessions: Sessions
  readonly trails: Sessions
}

/** How far sampling has come, and which actions of the user the views do not hold yet. */
export interface SamplingState {
  readonly samples: number
  /** Event time of the last training example, milliseconds; -Infinity if there was none. */
  readonly lastExampleMs: number
  readonly waiting: readonly RecentAction[]
}

/**
 * Makes the home-feed query that the user could have sent just before a positive action on a pin, with the user's trail
 * as recent actions. Returns null if the action is not sampled (one in 16 is, later one in 64 and in 256), if it comes
 * too soon after the last training example, or if the views hold nothing about the user.
 */
export function toTrainingQuery(
  { userId, sessionId, occurredAtMs: atMs }: Engagement,
  { pinId, samples, lastExampleMs, waiting }: SamplingState & { readonly pinId: PinId },
  { catalogue, sessions, trails }: HistoryViews,
): RetrieveQuery | null {
  const oneIn = samplingSteps.findLast((step) => samples >= step.samples)?.oneIn ?? heldOutOneIn
  if (!isHeldOut({ userId, pinId, atMs }, oneIn)) return null
  if (samples >= manySamples && Math.abs(atMs - lastExampleMs) < leastGapMs) return null
  // The event is late: the trail already holds later actions, so no query ever saw this state.
  const trail = trails.find(userId, null, atMs)
  if (trail >= 0 && trails.lastAtMs(trail) > atMs) return null
  const recent = [...readTrail({ userId, sessionId, atMs }, { catalogue, sessions, trails }), ...waiting]
  if (recent.length === 0) return null
  return { surface: 'home', atMs, userId, sessionId, recent, limit: 1 }
}

function readTrail(
  { userId, sessionId, atMs }: { readonly userId: string; readonly sessionId: SessionId | null; readonly atMs: number },
  { catalogue, sessions, trails }: HistoryViews,
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
