import { asId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { createRetrieval } from '../src/retrieval.ts'

const retrieval = createRetrieval({ config: { showUnlistedPins: true }, seed: 1, refresh: 'event' })
const morning = Date.UTC(2026, 0, 1, 9)

for (const user of ['ada', 'ben', 'cleo']) {
  ;['tent', 'rope', 'lamp', 'map'].forEach((pin, minute) =>
    retrieval.foldEngagement({
      eventId: asId<EventId>(`${user}-${pin}`),
      userId: asId<UserId>(user),
      sessionId: null,
      action: 'click',
      subject: { kind: 'pin', pinId: asId<PinId>(pin) },
      boardId: null,
      occurredAtMs: morning + minute * 60_000,
      shown: { feedId: null, position: null, surface: null },
      dwellMs: null,
    }),
  )
}

const answer = retrieval.retrieve({
  surface: 'home',
  atMs: morning + 3_600_000,
  userId: asId<UserId>('dora'),
  recent: [
    { pinId: asId<PinId>('rope'), action: 'click', occurredAtMs: morning + 3_500_000, sessionId: null, boardId: null },
  ],
  exclude: [asId<PinId>('rope')],
  limit: 3,
})

answer.pinIds.forEach((pinId, i) => {
  const found = answer.sources.filter(({ candidates }) => candidates.includes(i)).map(({ name }) => name)
  console.log(`${pinId} ${answer.scores[i]?.toFixed(3)} from ${found.join(', ')}`)
})
