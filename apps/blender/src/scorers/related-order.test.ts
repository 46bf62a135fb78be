import { Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { aCataloguePin } from '@freshet/domain/testing'
import { asId } from '@freshet/domain/ids'
import { describe, expect, test } from 'vitest'
import { aBlender, manyPins } from '../blender.harness.ts'

/** The sources find the pins in the order of their numbers, with the scores 1, 1/2, 1/3, … */
async function related(config: object, pinId = 'pin-0') {
  const topics = [['cats', 'art'], ['cars'], ['art'], ['cats', 'art'], []]
  const world = await aBlender({ pins: manyPins(5), config: { relatedOrder: 'sources', ...config } })
  await world.tellCatalogue(
    manyPins(5).map((id, at) => ({
      kind: 'upsert',
      pin: aCataloguePin(id, { topics: topics[at]!.map((topic) => asId(topic)) }),
    })),
  )
  const answer = await world.related({ pinId })
  return {
    order: answer.items.map((item) => item.pinId),
    degradation: answer.degradation,
    rankerCalls: world.services.ranked.length,
  }
}

describe('related pins', () => {
  const whole = { degradation: Degradation.NONE, rankerCalls: 0 }

  test('come as the sources found them, those of the topics of the open pin first, without the ranker', async () => {
    expect(await related({ relatedTopicFactor: 4 })).toEqual({ order: ['pin-3', 'pin-2', 'pin-1', 'pin-4'], ...whole })
  })

  test('come as the sources found them where topics do not count or the open pin has none', async () => {
    const asFound = { order: ['pin-1', 'pin-2', 'pin-3', 'pin-4'], ...whole }
    expect(await related({ relatedTopicFactor: 1 })).toEqual(asFound)
    const others = { order: ['pin-0', 'pin-1', 'pin-2', 'pin-3', 'pin-4'], ...whole }
    expect(await related({}, 'unknown')).toEqual(others)
    expect((await related({}, 'pin-4')).order).toEqual(['pin-0', 'pin-1', 'pin-2', 'pin-3'])
  })

  test('are ranked by the model where a parameter says so', async () => {
    expect(await related({ relatedOrder: 'model' })).toMatchObject({ rankerCalls: 1 })
  })
})
