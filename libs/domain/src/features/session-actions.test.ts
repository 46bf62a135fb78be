import { describe, expect, it } from 'vitest'
import { actions } from '../engagement.ts'
import { readFirst } from '../testing.ts'
import { noRecentActions, type RecentActions } from './recent-actions.ts'
import { sessionActionFeatures } from './session-actions.ts'

const minuteMs = 60_000

/** Rows of clicks, oldest first: the pin, minutes since the first, and the client's session. */
function recentOf(...rows: readonly (readonly [pinId: string, minute: number, sessionId?: string])[]): RecentActions {
  return {
    ...noRecentActions,
    pinIds: rows.map(([pinId]) => pinId),
    actions: new Uint8Array(rows.length).fill(actions.indexOf('click')),
    atMs: Float64Array.from(rows, ([, minute]) => minute * minuteMs),
    sessionIds: rows.map(([, , sessionId = '']) => sessionId),
  }
}

function read(recent: RecentActions | null, pinId: string): Record<string, number> {
  return readFirst(sessionActionFeatures, { user: recent === null ? null : { recent }, pinIds: [pinId] })
}

describe('features of the session', () => {
  it('count actions on a pin and those after it', () => {
    const recent = recentOf(['a', 0], ['b', 1], ['a', 2], ['c', 3])
    expect(read(recent, 'c')).toMatchObject({ pin_acted_order: 1, pin_acted_count: 1, session_pin_count: 1 })
    expect(read(recent, 'a')).toMatchObject({ pin_acted_order: 0.5, pin_acted_count: 2, session_pin_count: 2 })
    expect(read(recent, 'z')).toMatchObject({ pin_acted_order: 0, pin_acted_count: 0, session_pin_count: 0 })
    expect(read(recent, 'z')).toMatchObject({ session_length: 4, session_repeats: 0.25 })
  })

  it('take the session of the client, however long it pauses', () => {
    const recent = recentOf(['a', 0, 's1'], ['b', 1, 's2'], ['a', 600, 's2'])
    expect(read(recent, 'a')).toMatchObject({ pin_acted_count: 2, session_pin_count: 1, session_length: 2 })
  })

  it('end a session without an id at a pause of half an hour', () => {
    const recent = recentOf(['a', 0], ['b', 31], ['a', 61])
    expect(read(recent, 'a')).toMatchObject({ pin_acted_count: 2, session_pin_count: 1, session_length: 2 })
  })

  it('are 0 for a user without actions, and without a user', () => {
    for (const recent of [noRecentActions, null]) {
      expect(Object.values(read(recent, 'a'))).toEqual(sessionActionFeatures.map(() => 0))
    }
  })
})
