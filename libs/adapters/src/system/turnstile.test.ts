import { expect, test } from 'vitest'
import { createTurnstile } from './turnstile.ts'

test('callers pass one per turn of the event loop, in their order, the first at once', async () => {
  const pass = createTurnstile()
  const passed: string[] = []
  let turns = 0
  let counting = true
  const count = () => {
    turns++
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await pass()
      passed.push(`${name} ${turns}`)
    }),
  )
  counting = false
  expect(passed).toEqual(['a 0', 'b 1', 'c 2'])
})

test('what was waited for is heard between two callers', async () => {
  const pass = createTurnstile()
  const heard: string[] = []
  await Promise.all(
    [0, 1, 2].map(async (caller) => {
      await pass()
      heard.push(`call ${caller}`)
      await new Promise<void>((resolve) => setImmediate(resolve))
      heard.push(`answer ${caller}`)
    }),
  )
  expect(heard.indexOf('answer 0')).toBeLessThan(heard.indexOf('call 2'))
})
