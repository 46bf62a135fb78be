import { scalarOver, type Feature } from './feature.ts'
import type { RecentActions } from './recent-actions.ts'

/** Without ids of sessions from the client, a longer pause begins a session, milliseconds. */
const sessionGapMs = 1_800_000

/** The user's last actions as these features read them. */
interface ActionSummary {
  /** Of each pin: how many of the user's last actions came after the last one on it, and how many were on it. */
  readonly pins: ReadonlyMap<string, PinActions>
  /** Actions of the latest session. */
  readonly sessionLength: number
  /** Different pins of the latest session. */
  readonly sessionPins: number
}

interface PinActions {
  readonly later: number
  count: number
  inSession: number
}

// A page asks about hundreds of pins for one user: scan the rows once, not once per pin.
const summaries = new WeakMap<RecentActions, ActionSummary>()

function summaryOf(recent: RecentActions): ActionSummary {
  const known = summaries.get(recent)
  if (known !== undefined) return known
  const rows = recent.pinIds.length
  const sessionFrom = latestSession(recent)
  const pins = new Map<string, PinActions>()
  let sessionPins = 0
  for (let row = rows - 1; row >= 0; row--) {
    const pinId = recent.pinIds[row]!
    const inSession = row >= sessionFrom ? 1 : 0
    const pin = pins.get(pinId)
    if (pin === undefined) {
      pins.set(pinId, { later: rows - 1 - row, count: 1, inSession })
      sessionPins += inSession
    } else {
      pin.count++
      pin.inSession += inSession
    }
  }
  const summary = { pins, sessionLength: rows - sessionFrom, sessionPins }
  summaries.set(recent, summary)
  return summary
}

/** The first row of the latest session: the newest rows with the newest row's session id or, where it has none, without a long pause. */
function latestSession({ pinIds, sessionIds, atMs }: RecentActions): number {
  let from = Math.max(0, pinIds.length - 1)
  const sessionId = sessionIds[from] ?? ''
  while (from > 0) {
    const before = from - 1
    const belongs =
      sessionId === ''
        ? sessionIds[before] === '' && atMs[from]! - atMs[before]! <= sessionGapMs
        : sessionIds[before] === sessionId
    if (!belongs) break
    from = before
  }
  return from
}

/** What these features read of a page. */
interface SessionActionPage {
  readonly user: { readonly recent: RecentActions } | null
  readonly pinIds: readonly string[]
}

const scalar = scalarOver<SessionActionPage>()

/** How the user came back to the pin, in the latest session and before, by the order of the actions and not by time. */
export const sessionActionFeatures: readonly Feature<SessionActionPage>[] = [
  scalar({
    name: 'pin_acted_order',
    unit: '1 / (1 + later actions)',
    missing: 0,
    needs: ['user'],
    column: ({ user: { recent }, pinIds }, out) => {
      const { pins } = summaryOf(recent)
      for (let row = 0; row < pinIds.length; row++) {
        const pin = pins.get(pinIds[row]!)
        out[row] = pin === undefined ? 0 : 1 / (1 + pin.later)
      }
    },
  }),
  scalar({
    name: 'pin_acted_count',
    unit: "the user's last actions on the pin",
    missing: 0,
    needs: ['user'],
    column: ({ user: { recent }, pinIds }, out) => {
      const { pins } = summaryOf(recent)
      for (let row = 0; row < pinIds.length; row++) out[row] = pins.get(pinIds[row]!)?.count ?? 0
    },
  }),
  scalar({
    name: 'session_pin_count',
    unit: 'actions of the latest session on the pin',
    missing: 0,
    needs: ['user'],
    column: ({ user: { recent }, pinIds }, out) => {
      const { pins } = summaryOf(recent)
      for (let row = 0; row < pinIds.length; row++) out[row] = pins.get(pinIds[row]!)?.inSession ?? 0
    },
  }),
  scalar({
    name: 'session_length',
    unit: 'actions of the latest session',
    missing: 0,
    needs: ['user'],
    value: ({ user: { recent } }) => summaryOf(recent).sessionLength,
  }),
  scalar({
    name: 'session_repeats',
    unit: 'share of the latest session that came back to a pin',
    missing: 0,
    needs: ['user'],
    value: ({ user: { recent } }) => {
      const { sessionLength, sessionPins } = summaryOf(recent)
      return sessionLength === 0 ? 0 : 1 - sessionPins / sessionLength
    },
  }),
]
