import { describe, expect, test } from 'vitest'
import { createVirtualClock } from './clock.ts'

describe('virtual clock', () => {
  test('stands still until it is moved', async () => {
    const clock = createVirtualClock(1_000)
    expect(clock.now()).toBe(1_000)
    await clock.advance(250)
    expect(clock.now()).toBe(1_250)
    await clock.set(5_000)
    expect(clock.now()).toBe(5_000)
  })

  test('has moved when the call returns if nobody is due', () => {
    const clock = createVirtualClock()
    void clock.advance(10)
    expect(clock.now()).toBe(10)
  })

  test('wakes sleepers at their own times, in order; equal times in the order of their calls', async () => {
    const clock = createVirtualClock()
    const woken: string[] = []
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms)
      woken.push(`${name}@${clock.now()}`)
    }
    void sleeper('late', 30)
    void sleeper('first', 10)
    void sleeper('second', 10)
    void sleeper('never', 31)
    expect(clock.nextWake()).toBe(10)
    await clock.advance(30)
    expect(woken).toEqual(['first@10', 'second@10', 'late@30'])
    expect(clock.now()).toBe(30)
  })

  test('a sleeper that sleeps again within the same move wakes again in it', async () => {
    const clock = createVirtualClock()
    const ticks: number[] = []
    void (async () => {
      for (;;) {
        await clock.sleep(10)
        ticks.push(clock.now())
      }
    })()
    await clock.advance(35)
    expect(ticks).toEqual([10, 20, 30])
  })

  test('an aborted sleep rejects with the reason and does not wake', async () => {
    const clock = createVirtualClock()
    const stop = new AbortController()
    const sleeping = clock.sleep(10, stop.signal)
    const reason = new Error('stopped')
    stop.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    expect(clock.nextWake()).toBeNull()
    await expect(clock.sleep(10, stop.signal)).rejects.toBe(reason)
  })

  test('moving back wakes nobody', async () => {
    const clock = createVirtualClock(100)
    void clock.sleep(50)
    await clock.set(20)
    expect(clock.now()).toBe(20)
    expect(clock.nextWake()).toBe(150)
  })

  test('jumps forward without waking anybody, and wakes who is due on request', async () => {
    const clock = createVirtualClock(100)
    const woken: number[] = []
    for (const ms of [30, 10, 20, 40]) void clock.sleep(ms).then(() => woken.push(ms))
    clock.jump(50)
    expect(clock.now()).toBe(100)
    clock.jump(130)
    expect([clock.now(), ...woken]).toEqual([130])
    await clock.wakeDue()
    expect(woken).toEqual([10, 20, 30])
  })

  test('wakes repeated work once after a jump, however far it is', async () => {
    const clock = createVirtualClock()
    const at: number[] = []
    void (async () => {
      for (;;) {
        await clock.sleep(1_000)
        at.push(clock.now())
      }
    })()
    for (const ms of [3_600_000, 3_600_500, 3_601_000]) {
      clock.jump(ms)
      await clock.wakeDue()
    }
    expect(at).toEqual([3_600_000, 3_601_000])
  })

  test('does not wake a sleeper that was aborted by one that woke before it', async () => {
    const clock = createVirtualClock()
    const ending = new AbortController()
    void clock.sleep(10).then(() => ending.abort(new Error('enough')))
    const sleeping = expect(clock.sleep(20, ending.signal)).rejects.toThrow('enough')
    clock.jump(20)
    await clock.wakeDue()
    await sleeping
  })
})
