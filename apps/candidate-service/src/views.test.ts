import { noHeaders } from '@freshet/contracts/headers'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { Pin as PinMessage } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { asId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { createRetrieval } from '@freshet/retrieval/retrieval'
import { expect, it } from 'vitest'
import { createViews } from './views.ts'

const noonMs = 1_700_049_600_000

function aClick(userId: string, pinId: string, position: number) {
  const value = encodeEngagement(
    {
      eventId: asId<EventId>(`e${position}`),
      userId: asId<UserId>(userId),
      sessionId: null,
      action: 'click',
      subject: { kind: 'pin', pinId: asId<PinId>(pinId) },
      boardId: null,
      occurredAtMs: noonMs + position * 1000,
      shown: { feedId: null, position: null, surface: null },
      dwellMs: null,
    },
    0,
  )
  return { position, key: userId, value, appendedAtMs: noonMs, headers: noHeaders }
}

it('a tombstone in the engagements takes an erased user out of the views, and nobody else', async () => {
  const retrieval = createRetrieval({ seed: 1, refresh: 'event' })
  const views = createViews({
    maxVersions: 1_000,
    retrieval,
    sliceRecords: 100,
    pause: () => Promise.resolve(),
    learn: () => Promise.resolve(),
  })
  const records = [
    aClick('ada', 'p1', 0),
    aClick('ben', 'p1', 1),
    aClick('ada', 'p2', 2),
    { position: 3, key: 'ada', value: null, appendedAtMs: noonMs, headers: noHeaders },
  ]
  await views.fold({ topic: 'engagements.v1', partition: 0, from: 0, next: 4, end: 4, records })
  expect(retrieval.stats()).toMatchObject({ sessions: 1, sessionActions: 1 })
  expect(views.rejected()).toEqual({})
})

it('take no version from a record that nobody can read, nor from one under the key of another pin', async () => {
  const views = createViews({
    maxVersions: 1_000,
    retrieval: createRetrieval({ seed: 1, refresh: 'event' }),
    sliceRecords: 100,
    pause: () => Promise.resolve(),
    learn: () => Promise.resolve(),
  })
  const removal = (pinId: string, version: number): Uint8Array =>
    encodePinChange({ kind: 'delete', pinId: asId<PinId>(pinId), version })
  const values = [
    PinMessage.encode(PinMessage.create({ pinId: 'a', topics: [''], version: 900 })).finish(),
    removal('b', 900),
    removal('a', 6),
    removal('a', 5),
  ]
  const records = values.map((value, position) => ({
    position,
    key: 'a',
    value,
    appendedAtMs: noonMs,
    headers: noHeaders,
  }))
  await views.fold({ topic: 'pins.v1', partition: 0, from: 0, next: 4, end: 4, records })
  expect(views.rejected()).toEqual({ CODEC_INVALID: 2, PIN_STALE: 1 })
})
