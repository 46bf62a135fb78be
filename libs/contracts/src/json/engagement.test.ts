import { actions, surfaces, type Engagement } from '@freshet/domain/engagement'
import { asId, type BoardId, type FeedId, type SessionId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEngagement, encodeEngagement } from '../codecs/engagement.ts'
import { scanEngagement } from '../codecs/engagement-scan.ts'
import { engagementToJson, parseEngagementJson } from './engagement.ts'

const good = {
  eventId: 'e1',
  userId: 'u1',
  action: 'click',
  pinId: 'p1',
  occurredAt: '2026-01-31T12:00:00.000Z',
}

function problemOf(value: unknown) {
  const parsed = parseEngagementJson(value, 'engagements[3]')
  if (parsed.ok) throw new Error('was accepted')
  return parsed.problem
}

/** An object with an own `__proto__`, as JSON.parse makes it. */
function json(text: string): unknown {
  return JSON.parse(text)
}

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}

describe('the weight of an engagement', () => {
  const about = { eventId: 'e', userId: 'u', action: 'save', pinId: 'p', occurredAt: '2026-01-31T12:00:00.000Z' }
  const bytesOf = (weight?: number) => {
    const parsed = parseEngagementJson({ ...about, ...(weight !== undefined && { weight }) }, '')
    if (!parsed.ok) throw new Error(parsed.problem.message)
    return encodeEngagement(parsed.engagement, 1)
  }

  it('is kept in thousandths, in JSON, in the log and when it is scanned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), (thousandths) => {
        const bytes = bytesOf(thousandths / 1000)
        const engagement = decodeEngagement(bytes)
        expect(engagement.weightThousandths).toBe(thousandths)
        expect(engagementToJson(engagement).weight).toBe(thousandths / 1000)
        expect(scanEngagement(bytes)?.weight).toBe(thousandths)
      }),
    )
  })

  it('of 1 is the same as none, byte for byte', () => {
    expect(bytesOf(1)).toEqual(bytesOf())
    expect(scanEngagement(bytesOf())?.weight).toBe(1000)
  })

  it.each([0, -1, 1.0001, 0.0009, Number.NaN, '0.5', null])('of %s is refused', (weight) => {
    expect(parseEngagementJson({ ...about, weight }, '')).toMatchObject({ ok: false, problem: { field: 'weight' } })
  })
})

describe('parseEngagementJson', () => {
  it('reads a full engagement', () => {
    const parsed = parseEngagementJson(
      { ...good, action: 'save', boardId: 'b', sessionId: 's', feedId: 'f', position: 0, surface: 'home', dwellMs: 9 },
      '',
    )
    expect(parsed).toEqual({
      ok: true,
      engagement: {
        eventId: 'e1',
        userId: 'u1',
        sessionId: 's',
        action: 'save',
        subject: { kind: 'pin', pinId: 'p1' },
        boardId: 'b',
        occurredAtMs: Date.UTC(2026, 0, 31, 12),
        shown: { feedId: 'f', position: 0, surface: 'home' },
        dwellMs: 9,
      },
    })
  })

  it.each(['board', 'creator', 'topic'])('reads a follow of a %s', (kind) => {
    const { pinId: _, ...others } = good
    const parsed = parseEngagementJson({ ...others, action: 'follow', [`${kind}Id`]: 'x' }, '')
    expect(parsed.ok && parsed.engagement.subject).toEqual({ kind, [`${kind}Id`]: 'x' })
    expect(parsed.ok && parsed.engagement.boardId).toBeNull()
  })

  it.each([
    ['no object', 'click', 'EVENT_SHAPE', 'engagements[3]'],
    ['null', null, 'EVENT_SHAPE', 'engagements[3]'],
    ['an array', [good], 'EVENT_SHAPE', 'engagements[3]'],
    ['deep nonsense', nested(100_000), 'EVENT_TOO_DEEP', 'engagements[3]'],
    ['no event id', { ...good, eventId: undefined }, 'EVENT_FIELD_MISSING', 'engagements[3].eventId'],
    ['an empty id', { ...good, userId: '' }, 'EVENT_FIELD_MISSING', 'engagements[3].userId'],
    ['a number for an id', { ...good, userId: 12 }, 'EVENT_FIELD_TYPE', 'engagements[3].userId'],
    ['null for an id', { ...good, sessionId: null }, 'EVENT_FIELD_TYPE', 'engagements[3].sessionId'],
    ['129 characters', { ...good, pinId: 'x'.repeat(129) }, 'EVENT_ID_INVALID', 'engagements[3].pinId'],
    ['a blank', { ...good, pinId: 'a b' }, 'EVENT_ID_INVALID', 'engagements[3].pinId'],
    ['NUL', { ...good, pinId: 'a\u0000' }, 'EVENT_ID_INVALID', 'engagements[3].pinId'],
    ['a control character', { ...good, feedId: 'a\u0007' }, 'EVENT_ID_INVALID', 'engagements[3].feedId'],
    ['a zero-width space', { ...good, userId: 'a\u200b' }, 'EVENT_ID_INVALID', 'engagements[3].userId'],
    ['a lone surrogate', json('{"eventId":"\\ud800"}'), 'EVENT_ID_INVALID', 'engagements[3].eventId'],
    ['an unknown action', { ...good, action: 'like' }, 'EVENT_FIELD_VALUE', 'engagements[3].action'],
    ['an action in capitals', { ...good, action: 'CLICK' }, 'EVENT_FIELD_VALUE', 'engagements[3].action'],
    ['no action', { ...good, action: undefined }, 'EVENT_FIELD_MISSING', 'engagements[3].action'],
    ['a deep action', { ...good, action: nested(50) }, 'EVENT_TOO_DEEP', 'engagements[3].action'],
    ['no pin', { ...good, pinId: undefined }, 'EVENT_FIELD_MISSING', 'engagements[3].pinId'],
    ['no time', { ...good, occurredAt: undefined }, 'EVENT_FIELD_MISSING', 'engagements[3].occurredAt'],
    ['a number for a time', { ...good, occurredAt: 1.7e12 }, 'EVENT_FIELD_TYPE', 'engagements[3].occurredAt'],
    ['no zone', { ...good, occurredAt: '2026-01-31T12:00:00' }, 'EVENT_TIME_INVALID', 'engagements[3].occurredAt'],
    ['the epoch', { ...good, occurredAt: '1970-01-01T00:00:00Z' }, 'EVENT_TIME_INVALID', 'engagements[3].occurredAt'],
    ['NaN', { ...good, dwellMs: Number.NaN }, 'EVENT_FIELD_VALUE', 'engagements[3].dwellMs'],
    ['1e999', { ...good, ...(json('{"position":1e999}') as object) }, 'EVENT_FIELD_VALUE', 'engagements[3].position'],
    ['-1e999', { ...good, ...(json('{"dwellMs":-1e999}') as object) }, 'EVENT_FIELD_VALUE', 'engagements[3].dwellMs'],
    ['a negative position', { ...good, position: -1 }, 'EVENT_FIELD_VALUE', 'engagements[3].position'],
    ['half a position', { ...good, position: 0.5 }, 'EVENT_FIELD_VALUE', 'engagements[3].position'],
    ['a position as a string', { ...good, position: '3' }, 'EVENT_FIELD_TYPE', 'engagements[3].position'],
    ['an unknown surface', { ...good, surface: 'moon' }, 'EVENT_FIELD_VALUE', 'engagements[3].surface'],
    ['an unknown field', { ...good, colour: 'red' }, 'EVENT_FIELD_UNKNOWN', 'engagements[3].colour'],
    ['an odd field', { ...good, 'a b': 1 }, 'EVENT_FIELD_UNKNOWN', 'engagements[3]."a b"'],
    ['__proto__', json('{"__proto__":{"userId":"x"}}'), 'EVENT_FIELD_UNKNOWN', 'engagements[3].__proto__'],
    ['constructor', json('{"constructor":{}}'), 'EVENT_FIELD_UNKNOWN', 'engagements[3].constructor'],
    ['a pin followed', { ...good, action: 'follow' }, 'EVENT_SUBJECT', 'engagements[3].pinId'],
    ['nothing followed', { ...good, pinId: undefined, action: 'follow' }, 'EVENT_SUBJECT', 'engagements[3].action'],
    [
      'two followed',
      { ...good, pinId: undefined, action: 'follow', boardId: 'b', topicId: 't' },
      'EVENT_SUBJECT',
      'engagements[3].action',
    ],
    ['a board of a click', { ...good, boardId: 'b' }, 'EVENT_SUBJECT', 'engagements[3].boardId'],
    ['a word of a click', { ...good, word: 'w' }, 'EVENT_SUBJECT', 'engagements[3].word'],
    [
      'a word followed',
      { ...good, pinId: undefined, action: 'follow', word: 'w' },
      'EVENT_SUBJECT',
      'engagements[3].word',
    ],
    [
      'two words',
      { ...good, pinId: undefined, action: 'block', word: 'a b' },
      'EVENT_ID_INVALID',
      'engagements[3].word',
    ],
    [
      'a word of 65',
      { ...good, pinId: undefined, action: 'block', word: 'x'.repeat(65) },
      'EVENT_ID_INVALID',
      'engagements[3].word',
    ],
    [
      'a word and a topic blocked',
      { ...good, pinId: undefined, action: 'block', word: 'w', topicId: 't' },
      'EVENT_SUBJECT',
      'engagements[3].action',
    ],
    ['a creator of a click', { ...good, creatorId: 'c' }, 'EVENT_SUBJECT', 'engagements[3].creatorId'],
  ])('names %s', (_name, value, code, field) => {
    const problem = problemOf(value)
    expect(problem).toMatchObject({ code, field })
    expect(problem.message.startsWith(`${field} `)).toBe(true)
    expect(problem.message.length).toBeLessThan(300)
    expect(problem.message.isWellFormed()).toBe(true)
  })

  it('reads back what engagementToJson writes', () => {
    const id = fc
      .string({
        minLength: 1,
        maxLength: 128,
        unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.', ':', '/', 'é', '漢', '😀'),
      })
      .filter((x) => x.length <= 128)
    const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
    const arbitrary = fc
      .record({
        eventId: id,
        userId: id,
        sessionId: orNull(id),
        action: fc.constantFrom(...actions),
        about: fc.constantFrom('board', 'creator', 'topic'),
        subjectId: id,
        board: orNull(id),
        occurredAtMs: fc.integer({ min: 1, max: 4_102_444_800_000 }),
        feedId: orNull(id),
        position: orNull(fc.nat(1_000_000)),
        surface: orNull(fc.constantFrom(...surfaces)),
        dwellMs: orNull(fc.nat(86_400_000)),
      })
      .map((parts): Engagement => {
        const other = ['follow', 'unfollow', 'block', 'unblock'].includes(parts.action)
        const subject = other
          ? { kind: parts.about, [`${parts.about}Id`]: parts.subjectId }
          : { kind: 'pin', pinId: parts.subjectId }
        return {
          eventId: asId(parts.eventId),
          userId: asId(parts.userId),
          sessionId: parts.sessionId === null ? null : asId<SessionId>(parts.sessionId),
          action: parts.action,
          subject: subject as Engagement['subject'],
          boardId:
            parts.board !== null && ['save', 'unsave'].includes(parts.action) ? asId<BoardId>(parts.board) : null,
          occurredAtMs: parts.occurredAtMs,
          shown: {
            feedId: parts.feedId === null ? null : asId<FeedId>(parts.feedId),
            position: parts.position,
            surface: parts.surface,
          },
          dwellMs: parts.dwellMs,
        }
      })
    fc.assert(
      fc.property(arbitrary, (engagement) => {
        const text = JSON.stringify(engagementToJson(engagement))
        expect(parseEngagementJson(JSON.parse(text), '')).toEqual({ ok: true, engagement })
      }),
    )
  })

  it('A19: reports every problem', () => {
    const value = {
      ...good,
      userID: 'u',
      userId: 7,
      action: 'save',
      sessionId: 'a b',
      creatorId: 'c',
      occurredAt: 'yesterday',
      position: -1,
      dwellMs: 'long',
      surface: 'moon',
    }
    const parsed = parseEngagementJson(value, 'engagements[3]')
    if (parsed.ok) throw new Error('was accepted')
    expect(parsed.problems.map(({ field, code }) => [field.replace('engagements[3].', ''), code])).toEqual([
      ['userID', 'EVENT_FIELD_UNKNOWN'],
      ['userId', 'EVENT_FIELD_TYPE'],
      ['sessionId', 'EVENT_ID_INVALID'],
      ['occurredAt', 'EVENT_TIME_INVALID'],
      ['position', 'EVENT_FIELD_VALUE'],
      ['dwellMs', 'EVENT_FIELD_TYPE'],
      ['surface', 'EVENT_FIELD_VALUE'],
      ['creatorId', 'EVENT_SUBJECT'],
    ])
    expect(parsed.problem).toBe(parsed.problems[0])
    expect(parsed.problem.message).toBe('engagements[3].userID is not a field; did you mean userId?')
  })

  it('A19: reports a bounded number of problems', () => {
    const value = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`field${i}`, 1]))
    const parsed = parseEngagementJson(value, '')
    expect(parsed.ok ? 0 : parsed.problems.length).toBe(32)
  })

  it('A19: accepts an event once the reported problems are fixed: no problem hides another', () => {
    const wrongs: readonly (readonly [string, unknown])[] = [
      ['eventId', ''],
      ['userId', 'a b'],
      ['sessionId', 5],
      ['pinId', undefined],
      ['occurredAt', '1950-01-01T00:00:00Z'],
      ['position', 0.5],
      ['dwellMs', -1],
      ['surface', 'moon'],
      ['feedId', ' '],
      ['creatorId', 'c'],
    ]
    fc.assert(
      fc.property(fc.subarray([...wrongs], { minLength: 1 }), (chosen) => {
        const parsed = parseEngagementJson({ ...good, ...Object.fromEntries(chosen) }, '')
        const named = parsed.ok ? [] : parsed.problems.map(({ field }) => field)
        expect(named.toSorted()).toEqual(chosen.map(([field]) => field).toSorted())
      }),
    )
  })

  it.each([
    ['a board', { ...good, action: 'save', boardId: 'Home Decor' }],
    ['a topic', { ...good, pinId: undefined, action: 'follow', topicId: 'Home Decor' }],
    ['a creator', { ...good, pinId: undefined, action: 'block', creatorId: 'Ada Lovelace' }],
    ['a blocked word', { ...good, pinId: undefined, action: 'block', word: 'C++' }],
    ['an unblocked word', { ...good, pinId: undefined, action: 'unblock', word: '漢字' }],
  ])('A17: takes the subject of %s, through the log too', (_name, value) => {
    const parsed = parseEngagementJson(value, '')
    if (!parsed.ok) throw new Error(parsed.problem.message)
    expect(decodeEngagement(encodeEngagement(parsed.engagement, 1))).toEqual(parsed.engagement)
    expect(parseEngagementJson(engagementToJson(parsed.engagement), '')).toEqual(parsed)
  })

  it.each(['Cats', 'cats ', 'CATS', '“ＣＡＴＳ”', 'cats'])('the word %j is kept as "cats"', (word) => {
    const parsed = parseEngagementJson({ ...good, pinId: undefined, action: 'unblock', word }, '')
    expect(parsed).toMatchObject({ ok: true, engagement: { subject: { kind: 'word', word: 'cats' } } })
  })

  it.each([
    [' ', 'EVENT_FIELD_MISSING'],
    // Arabic letters that stand for a phrase.
    ['\ufdfa', 'EVENT_ID_INVALID'],
    ['\udc00', 'EVENT_ID_INVALID'],
    [`${'!'.repeat(300)}x`, 'EVENT_ID_INVALID'],
  ])('the word %j is refused', (word, code) => {
    const parsed = parseEngagementJson({ ...good, pinId: undefined, action: 'block', word }, '')
    expect(parsed).toMatchObject({ ok: false, problem: { code, field: 'word' } })
  })

  it('never throws for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(good)), (value, field) => {
        expect(typeof parseEngagementJson(value, '').ok).toBe('boolean')
        expect(typeof parseEngagementJson({ ...good, [field]: value }, '').ok).toBe('boolean')
      }),
    )
  })
})
