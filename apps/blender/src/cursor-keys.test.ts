import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { expect, test } from 'vitest'
import { createCursorKeys } from './cursor-keys.ts'

const clock = createVirtualClock(1_760_000_000_000)
const ada = { userId: 'ada', surface: 'home' } as const
const session = { firstPosition: 25, startedAtMs: 1_760_000_000_000, recorded: true }
const noKeys = { cursorKey: null, previousCursorKey: null }
type Store = ReturnType<typeof createMemoryStateStore>
const keysOf = (store: Store, seed: number, config: Parameters<typeof createCursorKeys>[0]['config'] = noKeys) =>
  createCursorKeys({ store, clock, random: createSeededRandom(seed), config, onError: () => {} })
type Keys = ReturnType<typeof keysOf>
const isAccepted = (from: Keys, by: Keys) => {
  const token = from.tokens().format(session, ada)
  try {
    return by.tokens().parse(token, ada).firstPosition === 25
  } catch {
    return false
  }
}

test('without a key in the settings, blenders that start at the same time agree on one', async () => {
  const store = createMemoryStateStore({ clock })
  const all = [1, 2, 3].map((seed) => keysOf(store.another(), seed))
  const [one, two, three] = all as [Keys, Keys, Keys]
  const early = two.tokens().format(session, ada)
  expect(isAccepted(one, two)).toBe(false)
  await Promise.all(all.map((keys) => keys.agree()))
  for (const from of all) for (const by of all) expect(isAccepted(from, by)).toBe(true)
  // Its own key of before still counts.
  expect(two.tokens().parse(early, ada)).toEqual(session)
  await three.agree()
  expect(isAccepted(one, three)).toBe(true)
})

test('if the state store loses the key, the blenders that run keep it', async () => {
  const [store, empty] = [createMemoryStateStore({ clock }), createMemoryStateStore({ clock })]
  let serving = store
  const behind = {
    pointer: (...given: [string]) => serving.pointer(...given),
    movePointer: (...given: [string, string | null, string]) => serving.movePointer(...given),
  }
  const [one, two] = [1, 2].map((seed) => keysOf(behind as Store, seed)) as [Keys, Keys]
  await one.agree()
  await two.agree()
  serving = empty
  const late = keysOf(empty, 3)
  await two.agree()
  await late.agree()
  await one.agree()
  expect([isAccepted(one, late), isAccepted(late, one), isAccepted(two, late)]).toEqual([true, true, true])
})

test('with keys in the settings, the store is not asked', async () => {
  const store = createMemoryStateStore({ clock })
  const key = 'sixteen characters or more'
  const [one, two] = [
    keysOf(store, 1, { cursorKey: key, previousCursorKey: null }),
    keysOf(store, 2, { cursorKey: `${key}!`, previousCursorKey: key }),
  ]
  await Promise.all([one.agree(), two.agree()])
  expect([isAccepted(one, two), isAccepted(two, one)]).toEqual([true, false])
  expect(await store.pointer('cursor-key')).toBeNull()
})
