import { expect, test } from 'vitest'
import { GetPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { asId } from '@freshet/domain/ids'
import { aBlender, aPin, manyPins, startMs } from '../blender.harness.ts'

async function started(config: Parameters<typeof aBlender>[0] = {}) {
  const made = await aBlender(config)
  const cards = (request: Partial<GetPinsRequest>) =>
    made.blender.getPins(GetPinsRequest.fromPartial(request), { timeoutMs: 500 })
  return { ...made, cards }
}

function drawn(pinId: string, more: object = {}) {
  const { kind, pin } = aPin(pinId, { creatorId: 'cara', topics: ['art', 'tea'], locale: 'de' })
  const texts = { title: `Title of ${pinId}`, description: 'Words', imageUrl: `https://img.example/${pinId}` }
  return { kind, pin: { ...pin, ...texts, createdAtMs: 1_000, ...more } }
}

test('cards have what the catalogue has, in the order of the request, each once; other pins are missing with their reasons', async () => {
  const { cards, tellCatalogue } = await started()
  await tellCatalogue([
    drawn('a', { visualEmbedding: Float32Array.of(1, 2, 3) }),
    drawn('b', { safetyLabels: ['violence'], minAge: 16 }),
    drawn('late', { availableFromMs: startMs + 1 }),
    drawn('over', { expiresAtMs: startMs }),
    drawn('gone'),
    { kind: 'delete', pinId: asId('gone') },
  ])
  const { pins, missing } = await cards({ pinIds: ['b', 'x', 'a', 'b', 'gone', 'late', 'over'] })
  expect(pins).toEqual([
    {
      pinId: 'b',
      title: 'Title of b',
      description: 'Words',
      imageUrl: 'https://img.example/b',
      creatorId: 'cara',
      creatorName: '',
      creatorImageUrl: '',
      topics: ['art', 'tea'],
      locale: 'de',
      createdAtMs: 1_000,
      safetyLabels: ['violence'],
      minAge: 16,
    },
    expect.objectContaining({ pinId: 'a', title: 'Title of a', safetyLabels: [], minAge: 0 }),
  ])
  expect(missing).toEqual([
    { pinId: 'x', reason: 'not-in-catalogue' },
    { pinId: 'gone', reason: 'deleted' },
    { pinId: 'late', reason: 'not-yet-available' },
    { pinId: 'over', reason: 'expired' },
  ])
  const earlier = await cards({ pinIds: ['late', 'over'], atMs: startMs - 1 })
  expect(earlier.pins.map(({ pinId }) => pinId)).toEqual(['over'])
  const later = await cards({ pinIds: ['late'], atMs: startMs + 1 })
  expect(later.pins.map(({ pinId }) => pinId)).toEqual(['late'])
})

test('a change of a pin changes its card', async () => {
  const { cards, tellCatalogue } = await started()
  await tellCatalogue([drawn('a'), drawn('a', { title: 'New' })])
  expect((await cards({ pinIds: ['a'] })).pins[0]?.title).toBe('New')
})

test('pins beyond the room are missing, and a warning names the setting', async () => {
  const { cards, tellCatalogue, blender } = await started({ config: { maxPinCardBytes: 1 << 20 } })
  const description = 'x'.repeat(5_000)
  await tellCatalogue(manyPins(300).map((pinId) => drawn(pinId, { description })))
  const { pins, missing } = await cards({ pinIds: ['pin-0', 'pin-299'] })
  expect(pins.map(({ pinId }) => pinId)).toEqual(['pin-0'])
  expect(missing).toEqual([{ pinId: 'pin-299', reason: 'no-room' }])
  expect(blender.warning()).toContain('maxPinCardBytes')
})

test('more pins than allowed name the field, the number and the limit', async () => {
  const { cards } = await started()
  await expect(cards({ pinIds: manyPins(501) })).rejects.toThrow('pin_ids: holds 501 entries; at most 500 are allowed')
  await expect(cards({ pinIds: ['a'], atMs: -5 })).rejects.toThrow(/^at_ms: /)
})
