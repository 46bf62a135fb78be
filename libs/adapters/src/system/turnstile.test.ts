import { expect, test } from 'vitest'
import { createTurnstile } from './turnstile.ts'

test('callers pass one per turn of the event loop, in order, the first immediately', async () => {
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
      await pass(1_000)
      passed.push(`${name} ${turns}`)
    }),
  )
  counting = false
  expect(passed).toEqual(['a 0', 'b 1', 'c 2'])
})

test('events are handled between two callers', async () => {
  const pass = createTurnstile()
  const heard: string[] = []
  await Promise.all(
    [0, 1, 2].map(async (caller) => {
      await pass(1_000)
      heard.push(`call ${caller}`)
      await new Promise<void>((resolve) => setImmediate(resolve))
      heard.push(`answer ${caller}`)
    }),
  )
  expect(heard.indexOf('answer 0')).toBeLessThan(heard.indexOf('call 2'))
})

test('where the first has waited half of its time the newest go first, and those that are late leave together', async () => {
  let now = 0
  const pass = createTurnstile(() => now)
  const passed: string[] = []
  const come = (name: string) =>
    pass(100).then(() => {
      passed.push(`${name} ${now}`)
      now += 20
    })
  const calls = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(come)
  await Promise.all(calls)
  expect(passed.slice(0, 5)).toEqual(['a 0', 'b 20', 'c 40', 'h 60', 'g 80'])
  expect(passed.slice(5).map((said) => said.slice(0, 1))).toEqual(['d', 'e', 'f'])
})
