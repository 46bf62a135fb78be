import { describe, expect, it } from 'vitest'
import { createTurns, type Turn } from './turns.ts'

/** A clock that moves when the test says so. */
function aClock() {
  let atMs = 0
  const due = new Map<() => void, number>()
  return {
    nowMs: () => atMs,
    after(ms: number, callback: () => void) {
      const call = () => {
        due.delete(call)
        callback()
      }
      due.set(call, atMs + ms)
      return () => void due.delete(call)
    },
    async move(ms: number) {
      atMs += ms
      for (const [call, whenMs] of [...due]) if (whenMs <= atMs) call()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function aWorld(maxAtOnce: number) {
  const clock = aClock()
  const turns = createTurns({ clock, maxAtOnce })
  const begun: string[] = []
  const held = new Map<string, Turn>()
  return {
    clock,
    turns,
    begun,
    end: (name: string) => held.get(name)!.end(),
    ask(name: string, maxWaitMs = 1_000, signal?: AbortSignal) {
      return turns.take(maxWaitMs, signal).then((turn) => {
        begun.push(name)
        held.set(name, turn)
      })
    },
  }
}

describe('turns', () => {
  it('begin in the order of the requests, one in each turn of the event loop', async () => {
    const { ask, begun, clock, turns } = aWorld(10)
    for (const name of ['a', 'b', 'c']) void ask(name)
    expect(turns.waiting).toBe(2)
    await clock.move(0)
    expect(begun).toEqual(['a', 'b'])
    await clock.move(0)
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(turns.waiting).toBe(0)
  })

  it('are at most so many at once', async () => {
    const { ask, begun, clock, end } = aWorld(2)
    for (const name of ['a', 'b', 'c', 'd']) void ask(name)
    for (let turn = 0; turn < 5; turn++) await clock.move(1)
    expect(begun).toEqual(['a', 'b'])
    end('a')
    await clock.move(1)
    expect(begun).toEqual(['a', 'b', 'c'])
    end('a')
    await clock.move(1)
    expect(begun, 'a turn ends once').toEqual(['a', 'b', 'c'])
  })

  it('begin at once where nobody works, although the event loop has not turned', async () => {
    const { ask, begun, end, clock } = aWorld(2)
    void ask('a')
    await Promise.resolve()
    end('a')
    void ask('b')
    await Promise.resolve()
    expect(begun).toEqual(['a', 'b'])
    await clock.move(0)
    expect(begun).toEqual(['a', 'b'])
  })

  it('begin when a request has waited long enough, whoever is before it', async () => {
    const { ask, begun, clock, turns } = aWorld(1)
    void ask('a')
    void ask('b', 1_000)
    void ask('c', 50)
    await clock.move(49)
    expect(begun).toEqual(['a'])
    await clock.move(1)
    expect(begun).toEqual(['a', 'c'])
    expect(turns.waiting).toBe(1)
  })

  it('begin with the newest if the first in line is late, because those still have time', async () => {
    const { ask, begun, clock, end } = aWorld(1)
    void ask('a')
    void ask('b', 1_000)
    await clock.move(500)
    void ask('c', 1_000)
    void ask('d', 1_000)
    await clock.move(290)
    end('a')
    await clock.move(20)
    expect(begun, '790 ms are not late').toEqual(['a', 'b'])
    void ask('e', 1_000)
    await clock.move(600)
    end('b')
    await clock.move(1)
    expect(begun, 'c has waited for 910 ms').toEqual(['a', 'b', 'e'])
  })

  it('are not taken by callers who end their call', async () => {
    const { ask, begun, clock, end, turns } = aWorld(1)
    void ask('a')
    const leaving = new AbortController()
    const left = ask('b', 1_000, leaving.signal)
    void ask('c')
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow(expect.objectContaining({ code: 'CALL_CANCELLED' }))
    await expect(ask('d', 1_000, leaving.signal)).rejects.toThrow(expect.objectContaining({ code: 'CALL_CANCELLED' }))
    expect(turns.waiting).toBe(1)
    end('a')
    await clock.move(1)
    expect(begun).toEqual(['a', 'c'])
    await clock.move(2_000)
    expect(begun).toEqual(['a', 'c'])
  })
})
