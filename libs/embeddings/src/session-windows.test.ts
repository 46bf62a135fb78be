import { expect, test } from 'vitest'
import { createSessionWindows } from './session-windows.ts'

test('A1: late actions from years ago are paired with each other, not with the user’s current actions', () => {
  const windows = createSessionWindows({ maxSessions: 4, width: 5, sessionGapMs: 1_800_000 })
  const now = Date.UTC(2026, 0, 1)
  const longAgo = Date.UTC(2023, 0, 1)
  const push = (atMs: number, ticket: number): number => {
    const window = windows.open({ userId: 'u', sessionId: null, atMs })
    const neighbours = windows.lengthOf(window)
    windows.push(window, ticket)
    return neighbours
  }
  expect([push(now, 1), push(now + 1_000, 2)]).toEqual([0, 1])
  expect([push(longAgo, 3), push(longAgo + 1_000, 4)]).toEqual([0, 1])
  expect(push(now + 2_000, 5)).toBe(0)
})
