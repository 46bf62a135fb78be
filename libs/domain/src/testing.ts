import type { Feature } from './features/feature.ts'
import fc from 'fast-check'
import { actions, maxSourceTag, type Action, type Engagement, type Subject } from './engagement.ts'
import {
  asId,
  type BoardId,
  type CreatorId,
  type EventId,
  type PinId,
  type SessionId,
  type TopicId,
  type UserId,
} from './ids.ts'
import { unrestrictedPin, type Pin } from './pin.ts'

/** Noon of a day in 2023, the start time of tests. */
export const noonMs = 1_700_049_600_000

/** A click of user `u` on pin `p` at noon; pass the fields that matter. */
export function anEngagement(given: Partial<Engagement> = {}): Engagement {
  return {
    eventId: asId<EventId>('e'),
    userId: asId<UserId>('u'),
    sessionId: null,
    action: 'click',
    subject: aPin('p'),
    boardId: null,
    occurredAtMs: noonMs,
    shown: { feedId: null, position: null, surface: null },
    dwellMs: null,
    ...given,
  }
}

/** A catalogue pin with only an id; pass the fields that matter. */
export function aCataloguePin(id: string, given: Partial<Omit<Pin, 'pinId'>> = {}): Pin {
  return {
    pinId: asId<PinId>(id),
    title: '',
    description: '',
    topics: [],
    creatorId: null,
    createdAtMs: null,
    locale: null,
    imageUrl: null,
    visualEmbedding: null,
    ...unrestrictedPin,
    ...given,
  }
}

/** A pin as the subject of an engagement. */
export function aPin(id: string): Subject {
  return { kind: 'pin', pinId: asId<PinId>(id) }
}

/** Subjects of every kind with ids from `id`. */
export function subjectsOf(id: fc.Arbitrary<string>): fc.Arbitrary<Subject> {
  return fc.tuple(fc.nat(4), id).map(([kind, text]): Subject => {
    if (kind === 0) return { kind: 'pin', pinId: asId<PinId>(text) }
    if (kind === 1) return { kind: 'board', boardId: asId<BoardId>(text) }
    if (kind === 2) return { kind: 'creator', creatorId: asId<CreatorId>(text) }
    if (kind === 3) return { kind: 'topic', topicId: asId<TopicId>(text) }
    return { kind: 'word', word: text.slice(0, 64) }
  })
}

const otherSubjects: readonly Subject[] = [
  { kind: 'board', boardId: asId<BoardId>('b1') },
  { kind: 'creator', creatorId: asId<CreatorId>('c1') },
  { kind: 'creator', creatorId: asId<CreatorId>('c2') },
  { kind: 'topic', topicId: asId<TopicId>('t1') },
  { kind: 'word', word: 'w1' },
]
const subjectActions: readonly Action[] = ['follow', 'unfollow', 'block', 'unblock']
const pinActions = actions.filter((action) => !subjectActions.includes(action))

/** Engagements with few pins, boards and users over `spanMs`, so that they interact. */
export function engagements(spanMs = 86_400_000, maxLength = 60): fc.Arbitrary<readonly Engagement[]> {
  const one = fc
    .record({
      onPin: fc.integer({ min: 0, max: 9 }).map((draw) => draw > 0),
      pin: fc.integer({ min: 0, max: 8 }),
      other: fc.constantFrom(...otherSubjects),
      pinAction: fc.constantFrom(...pinActions),
      otherAction: fc.constantFrom(...subjectActions),
      user: fc.integer({ min: 0, max: 5 }),
      session: fc.option(fc.integer({ min: 0, max: 3 })),
      board: fc.option(fc.integer({ min: 0, max: 3 })),
      afterMs: fc.integer({ min: 0, max: spanMs }),
      position: fc.option(fc.integer({ min: 0, max: 60 })),
      surface: fc.constantFrom(null, 'home' as const, 'related' as const),
      dwellMs: fc.option(fc.integer({ min: 1, max: 100_000 })),
      weight: fc.option(fc.integer({ min: 1, max: 999 }), { freq: 2 }),
      sourceTag: fc.option(fc.constantFrom(1, 2, maxSourceTag), { freq: 2 }),
    })
    .map((drawn) =>
      anEngagement({
        action: drawn.onPin ? drawn.pinAction : drawn.otherAction,
        subject: drawn.onPin ? aPin(`p${drawn.pin}`) : drawn.other,
        userId: asId<UserId>(`u${drawn.user}`),
        sessionId: drawn.session === null ? null : asId<SessionId>(`s${drawn.session}`),
        boardId:
          drawn.board !== null && ['save', 'unsave'].includes(drawn.pinAction) && drawn.onPin
            ? asId<BoardId>(`b${drawn.board}`)
            : null,
        occurredAtMs: noonMs + drawn.afterMs,
        shown: { feedId: null, position: drawn.position, surface: drawn.surface },
        dwellMs: drawn.dwellMs,
        ...(drawn.weight !== null && { weightThousandths: drawn.weight }),
        ...(drawn.sourceTag !== null && { sourceTag: drawn.sourceTag }),
      }),
    )
  return fc.array(one, { maxLength })
}

/** Values together with the same values in another order. */
export function shuffled<T>(values: fc.Arbitrary<readonly T[]>): fc.Arbitrary<readonly [readonly T[], readonly T[]]> {
  return values.chain((list) =>
    fc.shuffledSubarray([...list], { minLength: list.length }).map((other) => [list, other] as const),
  )
}

/** The numbers of the first candidate of a page, by the name of the feature. */
export function readFirst<Page>(features: readonly Feature<Page>[], page: Page): Record<string, number> {
  return Object.fromEntries(
    features.map((feature) => {
      const out = new Float64Array(1)
      feature.read(page, out)
      return [feature.name, Math.fround(Number.isFinite(out[0]) ? out[0]! : feature.missing)]
    }),
  )
}
