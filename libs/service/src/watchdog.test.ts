import { describe, expect, it } from 'vitest'
import { createProgressWatchdog } from './watchdog.ts'

/** A sleeper wakes when the test moves the time. One is enough here. */
function fakeClock() {
  let now = 0
  let wake: (() => void) | null = null
  return {
    now: () => now,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        wake = resolve
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      }),
    async advance(ms: number) {
      now += ms
      wake?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function watched() {
  const clock = fakeClock()
  const work = { lag: 0, done: 0, fails: false }
  const watchdog = createProgressWatchdog({
    clock,
    lag: async () => {
      if (work.fails) throw new Error('no answer')
      return work.lag
    },
    done: () => work.done,
    stalledAfterMs: 30_000,
    checkEveryMs: 1_000,
  })
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      await clock.advance(1_000)
      await watchdog.check()
    }
  }
  return { clock, work, watchdog, pass }
}

describe('a progress watchdog', () => {
  it('reports nothing while no work waits, however long', async () => {
    const { watchdog, pass } = watched()
    await pass(100)
    expect(watchdog.notAlive()).toBeNull()
  })

  it('reports nothing while work gets done', async () => {
    const { work, watchdog, pass } = watched()
    work.lag = 10
    for (let i = 0; i < 5; i++) {
      await pass(20)
      work.done++
    }
    expect(watchdog.notAlive()).toBeNull()
  })

  it('reports that work waits and nothing gets done for too long, and recovers', async () => {
    const { work, watchdog, pass } = watched()
    work.lag = 10
    await pass(30)
    expect(watchdog.notAlive()).toBeNull()
    await pass(2)
    expect(watchdog.notAlive()).toBe('10 waiting and nothing done for 32 s')
    work.done++
    await pass(1)
    expect(watchdog.notAlive()).toBeNull()
  })

  it('reports nothing while the lag is unknown', async () => {
    const { work, watchdog, pass } = watched()
    work.fails = true
    await pass(100)
    expect(watchdog.notAlive()).toBeNull()
  })

  it('checks repeatedly until the signal aborts', async () => {
    const { clock, work, watchdog } = watched()
    const ending = new AbortController()
    const running = watchdog.run(ending.signal)
    work.lag = 1
    await clock.advance(1_000)
    await clock.advance(40_000)
    expect(watchdog.notAlive()).not.toBeNull()
    ending.abort()
    await running
  })
})
