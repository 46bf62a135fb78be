import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Random } from '@freshet/domain/clock'

/** A TCP port that nobody listens on at present. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port')
  return address.port
}

/** Waits until `condition` gives something other than null, false or undefined. Throws with `what` when it does not within `timeoutMs`. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 5_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await sleep(5)
  }
}

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`; sleepers whose time has come wake in order. */
  advance(ms: number): Promise<void>
  /** How many sleep at present. */
  sleepers(): number
}

/** A clock for tests, at `startMs`. */
export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let now = startMs
  let sleeping: { readonly at: number; readonly wake: () => void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error)
        const sleeper = { at: now + ms, wake: resolve }
        sleeping.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleeping = sleeping.filter((each) => each !== sleeper)
          reject(signal.reason as Error)
        })
      }),
    async advance(ms) {
      const end = now + ms
      await new Promise((resolve) => setImmediate(resolve))
      for (;;) {
        const next = sleeping.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        sleeping = sleeping.filter((each) => each !== next)
        now = Math.max(now, next.at)
        next.wake()
        // What wakes may go to sleep again within this advance: let it run.
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = end
      await new Promise((resolve) => setImmediate(resolve))
    },
    sleepers: () => sleeping.length,
  }
}

/** Seeded chance: mulberry32. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let t = state
      t = Math.imul(t ^ (t >>> 15), t | 1)
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
      return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
    },
  }
}
