import type { Clock } from '@freshet/domain/clock'
import { describe, expect, it } from 'vitest'
import { firstLog, storedPosition, type FollowedLog } from './followed-log.ts'
import { createFoldWatch } from './fold-watch.ts'
import { createLogProgress } from './log-progress.ts'
import { createLogWatch, followLogs, snapshotProblem } from './log-watch.ts'

let nowMs = 0
const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() }

function aLog() {
  const state = { id: 'one' as string | null, ends: [5, 5], away: false }
  const answer = <T>(value: T): Promise<T> =>
    state.away ? Promise.reject(new Error('no broker answers')) : Promise.resolve(value)
  return { state, log: { identity: () => answer(state.id), ends: () => answer(state.ends) } }
}

describe('A2 · log watch', () => {
  it('A2: reports a replaced log once, and nothing for a log without an identity', async () => {
    const { state, log } = aLog()
    const told: string[] = []
    const watch = createLogWatch({ log, clock, topics: ['t'], onReplaced: ({ code }) => told.push(code) })
    await watch.look()
    expect(watch.id('t')).toBe('one')
    state.id = null
    await watch.look()
    expect(told).toEqual([])
    state.id = 'two'
    await watch.look()
    await watch.look()
    expect(told).toEqual(['LOG_REPLACED'])
  })

  it('A2: recognises a snapshot of another log, even for a log without an identity', async () => {
    const { state, log } = aLog()
    const progress = createLogProgress()
    await followLogs(log, progress, ['t'])
    progress.advance('t', 1, 5)
    const restored = createLogProgress()
    restored.load(progress.save())
    expect(await snapshotProblem(log, restored, ['t'])).toBeNull()
    state.id = 'two'
    expect(await snapshotProblem(log, restored, ['t'])).toContain('another t than there is now')
    state.id = null
    state.ends = [5, 4]
    expect(await snapshotProblem(log, restored, ['t'])).toContain('t/1 ends at 4, before its position 5')
  })

  it('A2: reads a snapshot of an earlier version', () => {
    const progress = createLogProgress()
    progress.load(new TextEncoder().encode('[["t/0",7]]'))
    expect([progress.position('t', 0), progress.log('t')]).toEqual([7, null])
  })

  it('A24: reports since when a log has not answered, after a short grace period', async () => {
    const { state, log } = aLog()
    nowMs = 0
    const watch = createLogWatch({ log, clock, topics: ['t'], everyMs: 1_000, silentAfterMs: 5_000 })
    expect(watch.silent()).toContain('has not answered yet')
    await watch.look()
    expect(watch.silent()).toBeNull()
    state.away = true
    nowMs = 5_000
    await watch.look()
    expect(watch.silent()).toBeNull()
    nowMs = 7_000
    expect(watch.silent()).toBe('the log has not answered for 7 s: no broker answers')
    state.away = false
    await watch.look()
    expect(watch.silent()).toBeNull()
  })
})

describe('A2 · fold watch', () => {
  const watching = (followed: FollowedLog, stored: readonly (number | null)[], log = aLog()) => {
    const pointers: Record<string, string> = { 'follows.engagements.v1': JSON.stringify(followed) }
    const store = {
      pointer: (name: string) => Promise.resolve(pointers[name] ?? null),
      positions: () => Promise.resolve(stored),
    }
    return createFoldWatch({ log: log.log, store, clock })
  }

  it.each([
    ['the same log, folded to its end', { ...firstLog, id: 'one' }, [5, null], null],
    ['another log', { ...firstLog, id: 'other' }, [5, 5], /is another log .*freshet log adopt/],
    ['a log that ends too early', firstLog, [5, 6], /engagements\.v1\/1 ends at 5, before the stored position 6/],
    ['a partition that has not adopted yet', { ...firstLog, epoch: 1, id: 'one' }, [900, 0], null],
    ['one that has', { ...firstLog, epoch: 1, id: 'one' }, [storedPosition(1, 9), 0], /ends at 5, .* position 9/],
  ] as const)('A2: %s', async (_what, followed, stored, problem) => {
    const watch = watching(followed, stored)
    await watch.look()
    if (problem === null) expect(watch.problem()).toBeNull()
    else expect(watch.problem()).toMatch(problem)
  })
})
