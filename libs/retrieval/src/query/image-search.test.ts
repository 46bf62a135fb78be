import { expect, test } from 'vitest'
import { asId, type PinId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { createRetrieval } from '../retrieval.ts'
import type { ImageQuestion } from '../question.ts'

function started() {
  const retrieval = createRetrieval({ seed: 1, refresh: 'event' })
  const add = (pinId: string, numbers: readonly number[] | null) =>
    retrieval.foldPin({
      kind: 'upsert',
      pin: aCataloguePin(pinId, { visualEmbedding: numbers === null ? null : Float32Array.from(numbers) }),
    })
  add('east', [1, 0])
  add('northeast', [1, 1])
  add('north', [0, 2])
  add('west', [-1, 0])
  add('blank', null)
  const search = (image: ImageQuestion, exclude: readonly PinId[] = [], limit = 10) => {
    const { pinIds, scores, sources } = retrieval.retrieve({
      surface: 'home',
      atMs: 1,
      userId: null,
      limit,
      image,
      exclude,
    })
    return { found: pinIds.map((pinId, at) => [pinId, Math.round(scores[at]! * 1000) / 1000]), sources }
  }
  return { search }
}

const embedding = (...numbers: number[]) => ({ embedding: Float32Array.from(numbers) })

test('the pins with the largest cosine come first, and only the visual index is searched', () => {
  const { search } = started()
  const { found, sources } = search(embedding(3, 0))
  expect(found).toEqual([
    ['east', 1],
    ['northeast', 0.707],
    ['north', 0],
    ['west', -1],
  ])
  expect(sources.map(({ name }) => name)).toEqual(['visual-neighbours'])
  expect(search(embedding(3, 0), [asId('east')], 1).found).toEqual([['northeast', 0.707]])
})

test('a pin stands for its picture, and is not in the answer', () => {
  expect(
    started()
      .search({ pinId: asId('north') })
      .found.map(([pinId]) => pinId),
  ).toEqual(['northeast', 'east', 'west'])
})

test.each([
  [embedding(1, 2, 3), 'IMAGE_WRONG_WIDTH'],
  [embedding(1, NaN), 'IMAGE_NOT_FINITE'],
  [embedding(0, 0), 'IMAGE_NOT_FINITE'],
  [{ pinId: asId<PinId>('blank') }, 'IMAGE_PIN_WITHOUT_EMBEDDING'],
  [{ pinId: asId<PinId>('nobody') }, 'IMAGE_PIN_WITHOUT_EMBEDDING'],
])('%j is refused: %s', (image, code) => {
  expect(() => started().search(image)).toThrow(expect.objectContaining({ code }))
})
