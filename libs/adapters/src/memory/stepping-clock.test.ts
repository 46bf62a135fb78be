import { describe, expect, it } from 'vitest'
import { createSteppingClock } from './stepping-clock.ts'

describe('a stepping clock', () => {
  it('moves forward only', () => {
    const clock = createSteppingClock(100)
    clock.moveTo(50)
    expect(clock.now()).toBe(100)
    clock.moveTo(150)
    expect(clock.now()).toBe(150)
  })

  it('wakes only who is due, in the order of their times, when it is told to', async () => {
    const clock = createSteppingClock(0)
    const woken: number[] = []
    for (const ms of [30, 10, 20, 40]) void clock.sleep(ms).then(() => woken.push(ms))
    clock.moveTo(30)
    expect(woken).toEqual([])
    await clock.wakeDue()
    expect(woken).toEqual([10, 20, 30])
  })

  it('runs repeated work once after a jump, however far it is', async () => {
    const clock = createSteppingClock(0)
    const at: number[] = []
    void (async () => {
      for (;;) {
        await clock.sleep(1_000)
        at.push(clock.now())
      }
    })()
    clock.moveTo(3_600_000)
    await clock.wakeDue()
    clock.moveTo(3_600_500)
    await clock.wakeDue()
    clock.moveTo(3_601_000)
    await clock.wakeDue()
    expect(at).toEqual([3_600_000, 3_601_000])
  })

  it('rejects a sleeper whose signal is aborted, and wakes it no more', async () => {
    const clock = createSteppingClock(0)
    const ending = new AbortController()
    const sleeping = clock.sleep(10, ending.signal)
    ending.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(clock.sleep(10, ending.signal)).rejects.toThrow('enough')
    clock.moveTo(20)
    await clock.wakeDue()
  })
})
