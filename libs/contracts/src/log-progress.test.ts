import { describe, expect, it } from 'vitest'
import { createLogProgress, waitForPositions } from './log-progress.ts'

const never = (_ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
const at = (position: number): { topic: string; partition: number; position: number } => ({
  topic: 't',
  partition: 1,
  position,
})

describe('log progress', () => {
  it('never goes back', () => {
    const progress = createLogProgress()
    progress.advance('t', 1, 5)
    progress.advance('t', 1, 3)
    expect(progress.position('t', 1)).toBe(5)
    expect(progress.position('t', 2)).toBeNull()
  })

  it('wakes waiters when the last position is reached', async () => {
    const progress = createLogProgress()
    const waiting = progress.reached([at(2), { ...at(4), partition: 2 }], new AbortController().signal)
    progress.advance('t', 1, 2)
    expect(progress.missing([at(2), { ...at(4), partition: 2 }])).toHaveLength(1)
    progress.advance('t', 2, 9)
    expect(await waiting).toBe(true)
  })

  it('asks again about a goal that was reached before older positions were loaded', () => {
    const progress = createLogProgress()
    progress.advance('t', 1, 3)
    const older = progress.save()
    progress.advance('t', 1, 5)
    const goal = [at(4)]
    expect([progress.missing(goal), progress.missing(goal)]).toEqual([[], []])
    progress.load(older)
    expect(progress.missing(goal)).toEqual(goal)
    progress.advance('t', 1, 4)
    expect(progress.missing(goal)).toEqual([])
  })

  it('resolves to false when the time is up or the caller cancels', async () => {
    const progress = createLogProgress()
    expect(
      await waitForPositions(progress, [at(1)], { timeoutMs: 5, signal: undefined, sleep: async () => undefined }),
    ).toBe(false)
    const caller = new AbortController()
    const waiting = waitForPositions(progress, [at(1)], { timeoutMs: 5, signal: caller.signal, sleep: never })
    caller.abort()
    expect(await waiting).toBe(false)
  })

  it('loads what it saved', () => {
    const progress = createLogProgress()
    progress.advance('t', 1, 7)
    const other = createLogProgress()
    other.load(progress.save())
    expect(other.position('t', 1)).toBe(7)
  })
})
