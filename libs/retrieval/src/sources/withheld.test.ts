import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'
import { expect, test } from 'vitest'

import { anEngagement, aQuery, hourMs, minuteMs, onlySource, quickCaps, startMs } from '../builders.fixture.ts'
import type { Retrieval } from '../retrieval.ts'

const spammer = asId<CreatorId>('spammer')
const topic = asId<TopicId>('cats')
const config = { ...quickCaps, showUnlistedPins: false }
const sources: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['popularity', { maxListed: 5 }],
  ['trending', { maxListed: 5 }],
  ['fresh-followed', { maxPinsEach: 5 }],
]

function publish(retrieval: Retrieval, pinId: string, creatorId: CreatorId, n: number): void {
  const pin = aCataloguePin(asId<PinId>(pinId), { creatorId, topics: [topic], createdAtMs: startMs + n * minuteMs })
  retrieval.foldPin({ kind: 'upsert', pin })
  // The spammer's pins are newer and more liked, so lists of five pins hold no others.
  const users = creatorId === spammer ? 9 : 8
  for (let i = 0; i < users; i++)
    retrieval.foldEngagement(anEngagement({ userId: `${pinId}-${i}`, pinId, atMs: startMs + hourMs }))
}

const suspend = (retrieval: Retrieval, isSuspended: boolean): void =>
  retrieval.foldCreator({ kind: 'upsert', creator: { creatorId: spammer, name: '', imageUrl: null, isSuspended } })
const found = (retrieval: Retrieval): readonly string[] =>
  [...retrieval.retrieve(aQuery({ atMs: startMs + 2 * hourMs, followedTopics: [topic] })).pinIds].toSorted()

const good = ['good-0', 'good-1', 'good-2']
const spam = ['spam-0', 'spam-1', 'spam-2', 'spam-3', 'spam-4']

test.each(sources)('%s: pins that are withheld take no place from others, whenever they came', (name, parameters) => {
  const retrieval = onlySource(name, parameters, {}, config)
  for (const [n, pinId] of spam.entries()) publish(retrieval, pinId, spammer, 10 + n)
  expect(found(retrieval)).toEqual(spam)
  suspend(retrieval, true)
  for (const [n, pinId] of good.entries()) publish(retrieval, pinId, asId<CreatorId>('ann'), n)
  for (const [n, pinId] of spam.entries()) publish(retrieval, `${pinId}-more`, spammer, 20 + n)
  expect(found(retrieval)).toEqual(good)
})

test.each(sources)('%s: pins that came while their creator was suspended are found afterwards', (name, parameters) => {
  const retrieval = onlySource(name, parameters, {}, config)
  suspend(retrieval, true)
  for (const [n, pinId] of spam.entries()) publish(retrieval, pinId, spammer, n)
  expect(found(retrieval)).toEqual([])
  suspend(retrieval, false)
  expect(found(retrieval)).toEqual(spam)
})
