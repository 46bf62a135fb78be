import { expect, test } from 'vitest'
import { float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import { GetCapabilitiesRequest, SearchByImageRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { aBlender, anEngagement, foundPins, manyPins } from '../blender.harness.ts'

async function started() {
  const made = await aBlender()
  const search = (request: Partial<SearchByImageRequest>) =>
    made.settle(made.blender.searchByImage(SearchByImageRequest.fromPartial(request), { timeoutMs: 500 }))
  return { ...made, search }
}

test('answers the most similar pins with the similarity as utility; filters apply; nothing is recorded', async () => {
  const { search, storeUser, services, servedFeeds } = await started()
  await storeUser('ada', [anEngagement('hide', 'pin-1'), anEngagement('closeup', 'pin-2')])
  const answer = await search({ userId: 'ada', embedding: [0.5, -1], pageSize: 3, explain: true })
  expect(answer.items.map(({ pinId, position }) => [pinId, position])).toEqual([
    ['pin-0', 0],
    ['pin-2', 1],
    ['pin-3', 2],
  ])
  expect(answer.items.map(({ utility }) => utility)).toEqual([1, 1 / 2, 1 / 3].map(Math.fround))
  expect(answer.stages.map(({ stage }) => stage)).toContain('retrieve')
  const [asked] = services.retrieved
  expect([...float32Column(asked!.imageEmbedding)]).toEqual([0.5, -1])
  expect(asked).toMatchObject({ fillTo: 0, shown: undefined })
  expect(services.ranked).toEqual([])
  expect(await servedFeeds()).toEqual([])
})

test('a pin may be given instead of an embedding', async () => {
  const { search, services } = await started()
  await search({ pinId: 'pin-7' })
  expect(services.retrieved[0]).toMatchObject({ imageOfPinId: 'pin-7', imageEmbedding: new Uint8Array() })
})

test.each([
  [{}, 'embedding: is empty; give an embedding or a pin_id'],
  [{ embedding: [1], pinId: 'p' }, 'pin_id: is given beside an embedding; give one of them'],
  [{ embedding: [1, NaN] }, 'embedding[1]: is NaN; give finite numbers of 32 bits'],
  [{ embedding: [1e39] }, 'embedding[0]: is 1e+39; give finite numbers of 32 bits'],
  [{ embedding: [0, 0] }, 'embedding: is all zeros, which have no direction'],
  [{ embedding: manyPins(5_000).map(() => 1) }, 'embedding: has 5000 numbers; at most 4096 are allowed'],
  [{ pinId: 'a b' }, 'pin_id: '],
  [{ embedding: [1], pageSize: 101 }, 'page_size: is 101; give 1–100, or 0 for 25'],
])('%j is refused', async (request, text) => {
  const { search } = await started()
  await expect(search(request)).rejects.toThrow(text)
})

test('what the candidate service refuses is an error with the name of the field in this request', async () => {
  const { search, services } = await started()
  services.retrieve = () => {
    throw new ContractError('CALL_INVALID_ARGUMENT', 'image_embedding has 2 numbers; the catalogue has 64')
  }
  await expect(search({ embedding: [1, 2] })).rejects.toMatchObject({
    code: 'CALL_INVALID_ARGUMENT',
    message: 'embedding: has 2 numbers; the catalogue has 64',
  })
})

test('without the candidate service the call fails; it does not answer popular pins', async () => {
  const { search, services, blender, settle } = await started()
  await settle(blender.refreshPopular(1_000))
  services.retrieve = () => Promise.reject(new ContractError('CALL_UNAVAILABLE', 'away'))
  await expect(search({ embedding: [1] })).rejects.toMatchObject({ code: 'CALL_UNAVAILABLE' })
  services.retrieve = (request) => foundPins([], request)
  expect(await search({ embedding: [1] })).toMatchObject({ items: [] })
})

test('the sources that the blender reports are those of feeds, not the one of a search', async () => {
  const { search, feed, services, blender } = await started()
  await feed()
  const { retrieve } = services
  services.retrieve = async (request, call) => {
    const answer = await retrieve(request, call)
    return { ...answer, sources: answer.sources.slice(0, 1) }
  }
  await search({ embedding: [1] })
  await search({ pinId: 'pin-7' })
  expect((await blender.getCapabilities(GetCapabilitiesRequest.fromPartial({}), { timeoutMs: 500 })).sources).toEqual([
    'even',
    'odd',
  ])
})
