import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createByteRoom, type Receiving } from './byte-room.ts'

describe('A21 · a limit on the bytes of requests', () => {
  it('counts all bytes and releases them, each exactly once', () => {
    const step = fc.record({
      what: fc.constantFrom('receive', 'grow', 'end', 'take', 'give', 'wait'),
      which: fc.nat(9),
      size: fc.integer({ min: 0, max: 600 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const max = 1_000
        let now = 0
        const room = createByteRoom(max, () => now)
        const arriving: { bytes: number; evicted: boolean; receiving: Receiving }[] = []
        const taken: { bytes: number; give: () => void }[] = []
        for (const { what, which, size } of steps) {
          if (what === 'receive') {
            const one = { bytes: 0, evicted: false, receiving: null as unknown as Receiving }
            one.receiving = room.receive(() => {
              one.evicted = true
              one.bytes = 0
            })
            arriving.push(one)
          } else if (what === 'grow') {
            const one = arriving[which]
            if (one?.receiving.grow(size) === true) {
              expect(one.evicted).toBe(false)
              one.bytes += size
            }
          } else if (what === 'end') {
            const one = arriving[which]
            one?.receiving.end()
            if (one !== undefined) arriving.splice(which, 1)
          } else if (what === 'take') {
            const give = room.take(size)
            if (give !== null) taken.push({ bytes: size, give })
          } else if (what === 'give') {
            const one = taken[which]
            one?.give()
            one?.give()
            if (one !== undefined) taken.splice(which, 1)
          } else now += size
          const all = [...arriving, ...taken].map(({ bytes }) => bytes).filter((bytes) => bytes > 0)
          expect(room.bytes()).toBe(all.reduce((sum, bytes) => sum + bytes, 0))
          // A request larger than the whole room fits when the room is empty. Then nothing else fits.
          if (all.length > 1) expect(room.bytes() - Math.min(...all)).toBeLessThanOrEqual(max)
        }
      }),
    )
  })

  it('evicts requests that have been arriving for long, the longest first, and never one that waits for the log', () => {
    let now = 0
    const room = createByteRoom(1_000, () => now)
    const evicted: string[] = []
    const receive = (name: string, bytes: number) => {
      const receiving = room.receive(() => evicted.push(name))
      expect(receiving.grow(bytes)).toBe(true)
      return receiving
    }
    const give = room.take(300)
    const first = receive('first', 300)
    now = 500
    receive('second', 300)
    expect(room.take(200)).toBeNull()
    now = 1_001
    expect(room.take(200)).not.toBeNull()
    expect(evicted).toEqual(['first'])
    expect(first.grow(1)).toBe(false)
    now = 5_000
    expect(room.take(1_000)).toBeNull()
    expect(evicted).toEqual(['first', 'second'])
    expect(room.bytes()).toBe(500)
    give?.()
    expect(room.bytes()).toBe(200)
  })

  it('is idle when all taken bytes are released, even while other requests are still arriving', async () => {
    const room = createByteRoom(1_000, () => 0)
    room.receive(() => undefined).grow(10)
    const give = room.take(10)
    let idle = false
    const waiting = room.idle().then(() => (idle = true))
    await Promise.resolve()
    expect(idle).toBe(false)
    give?.()
    await waiting
    await room.idle()
  })
})
