import { describe, expect, it } from 'vitest'
import type { PinCard } from '../api/blender.ts'
import { createCards } from './cards.ts'

const aCard = (pinId: string): PinCard => ({
  ...{ pinId, title: `title of ${pinId}`, description: '', imageUrl: '', creatorId: 'c', topics: [], locale: '' },
})
const settled = () => new Promise((resolve) => setTimeout(resolve))

describe('cards', () => {
  it('are loaded once, together', async () => {
    const asked: (readonly string[])[] = []
    const cards = createCards({
      loadCards: async (pinIds) => {
        asked.push(pinIds)
        return pinIds.map(aCard)
      },
      loadTitles: null,
      loadTopics: null,
    })
    cards.want(['a', 'b', 'a'])
    cards.want(['a'])
    await settled()
    cards.want(['a', 'b'])
    expect(asked).toEqual([['a', 'b']])
    expect(cards.titleOf('a')).toBe('title of a')
    expect(cards.version()).toBe(1)
  })

  it('say which pins the catalogue does not have, until it has them', async () => {
    let catalogue = ['a']
    const cards = createCards({
      loadCards: async (pinIds) => pinIds.filter((pinId) => catalogue.includes(pinId)).map(aCard),
      loadTitles: null,
      loadTopics: null,
    })
    expect(cards.isUnknown('b')).toBe(false)
    cards.want(['a', 'b'])
    await settled()
    expect([cards.isUnknown('a'), cards.isUnknown('b')]).toEqual([false, true])
    catalogue = ['a', 'b']
    cards.want(['b'])
    await settled()
    expect(cards.isUnknown('b')).toBe(false)
  })

  it('have titles in the language where there are some, and their own where that fails', async () => {
    const named = createCards({
      loadCards: async (pinIds) => pinIds.map(aCard),
      loadTitles: async () => ({ a: 'Titel' }),
      loadTopics: null,
    })
    named.want(['a', 'b'])
    const failing = createCards({
      loadCards: async (pinIds) => pinIds.map(aCard),
      loadTitles: async () => Promise.reject(new Error('down')),
      loadTopics: null,
    })
    failing.want(['a'])
    await settled()
    expect([named.titleOf('a'), named.titleOf('b'), failing.titleOf('a')]).toEqual([
      'Titel',
      'title of b',
      'title of a',
    ])
  })

  it('are asked for again after a failure', async () => {
    let calls = 0
    const cards = createCards({
      loadCards: async (pinIds) => {
        if (++calls === 1) throw new Error('down')
        return pinIds.map(aCard)
      },
      loadTitles: null,
      loadTopics: null,
    })
    cards.want(['a'])
    await settled()
    expect(cards.get('a')).toBeUndefined()
    cards.want(['a'])
    await settled()
    expect(cards.get('a')).toEqual(aCard('a'))
  })

  it('name topics in the language of the person, each asked for once; by their ids until then', async () => {
    const asked: (readonly string[])[] = []
    const cards = createCards({
      loadCards: async (pinIds) => pinIds.map((pinId) => ({ ...aCard(pinId), topics: ['animal-mammal', 'own-topic'] })),
      loadTitles: null,
      loadTopics: async (topics) => {
        asked.push(topics)
        return { 'animal-mammal': 'säugetiere', 'own-topic': 'own-topic' }
      },
    })
    expect(cards.topicOf('animal-mammal')).toBe('Animal mammal')
    cards.want(['a'])
    await settled()
    cards.want(['b'])
    await settled()
    expect([cards.topicOf('animal-mammal'), cards.topicOf('own-topic')]).toEqual(['Säugetiere', 'Own topic'])
    expect(asked).toEqual([['animal-mammal', 'own-topic']])
  })
})
