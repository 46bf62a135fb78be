import { expect, test } from 'vitest'
import { createSystemClock } from './clock.ts'

test('a sleep lasts at least the requested time', async () => {
  const clock = createSystemClock()
  const before = clock.now()
  await clock.sleep(15)
  expect(clock.now() - before).toBeGreaterThanOrEqual(14)
})

test('an aborted sleep rejects immediately with the reason', async () => {
  const clock = createSystemClock()
  const stop = new AbortController()
  const reason = new Error('stopped')
  const sleeping = clock.sleep(60_000, stop.signal)
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(clock.sleep(60_000, stop.signal)).rejects.toBe(reason)
})
