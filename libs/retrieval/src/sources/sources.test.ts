import { aCataloguePin } from '@freshet/domain/testing'
import { actions } from '@freshet/domain/engagement'
import { asId, type BoardId, type CreatorId, type SessionId, type TopicId, type UserId } from '@freshet/domain/ids'
import { describe, expect, test } from 'vitest'

import {
  aQuery,
  anEngagement,
  dayMs,
  foldTrail,
  hourMs,
  minuteMs,
  onlySource,
  pins,
  recentClicks,
  startMs,
} from '../builders.fixture.ts'

const later = startMs + dayMs

describe('popularity', () => {
  test('counts what users liked, and nothing else', () => {
    const retrieval = onlySource('popularity')
    for (const action of actions) {
      for (let i = 0; i < 3; i++) retrieval.foldEngagement(anEngagement({ userId: `u${i}`, pinId: action, action }))
    }
    expect(new Set(retrieval.retrieve(aQuery()).pinIds)).toEqual(new Set(['closeup', 'click', 'save']))
  })

  test('fades: two actions today beat three of last month', () => {
    const retrieval = onlySource('popularity')
    for (const user of ['a', 'b', 'c']) foldTrail(retrieval, user, ['old'], startMs - 30 * dayMs)
    for (const user of ['d', 'e']) foldTrail(retrieval, user, ['new'], startMs)
    expect(retrieval.retrieve(aQuery()).pinIds).toEqual(['new', 'old'])
  })

  test('with a locale finds pins of it and pins without a locale; without one, every pin', () => {
    const retrieval = onlySource('popularity')
    for (const [pinId, locale] of [
      ['de', 'de-DE'],
      ['fr', 'fr-FR'],
      ['any', null],
    ] as const) {
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId, { locale }) })
      foldTrail(retrieval, `u-${pinId}`, [pinId])
    }
    expect(new Set(retrieval.retrieve(aQuery({ locale: 'de-DE' })).pinIds)).toEqual(new Set(['de', 'any']))
    expect(retrieval.retrieve(aQuery()).pinIds).toHaveLength(3)
    expect(retrieval.retrieve(aQuery({ locale: 'ja-JP' })).pinIds).toEqual(['any'])
  })

  test('lists pins that nobody has touched, newest first, below pins that somebody likes', () => {
    const retrieval = onlySource('popularity')
    for (const [pinId, days] of [
      ['older', 9],
      ['newer', 2],
      ['undated', null],
    ] as const) {
      const createdAtMs = days === null ? null : startMs - days * dayMs
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId, { createdAtMs }) })
    }
    retrieval.foldEngagement(anEngagement({ userId: 'u', pinId: 'only-hidden', action: 'hide' }))
    expect(retrieval.retrieve(aQuery()).pinIds).toEqual(['newer', 'older', 'undated'])
    foldTrail(retrieval, 'u', ['undated'])
    expect(retrieval.retrieve(aQuery()).pinIds).toEqual(['undated', 'newer', 'older'])
    const restored = onlySource('popularity')
    restored.restore(retrieval.snapshot(new Uint8Array()))
    expect(restored.retrieve(aQuery()).pinIds).toEqual(['undated', 'newer', 'older'])
  })

  test('follows a pin whose locale changes', () => {
    const retrieval = onlySource('popularity')
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p', { locale: 'fr-FR' }) })
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('q', { locale: 'de-DE' }) })
    foldTrail(retrieval, 'u', ['p', 'q'])
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p', { locale: 'de-DE' }) })
    expect(new Set(retrieval.retrieve(aQuery({ locale: 'de-DE' })).pinIds)).toEqual(new Set(['p', 'q']))
    expect(retrieval.retrieve(aQuery({ locale: 'fr-FR' })).pinIds).toEqual([])
  })
})

describe('popularity among given pins', () => {
  test('ranks each of them, also pins beyond its lists and pins that nobody has touched', () => {
    const retrieval = onlySource('popularity', { maxListed: 1 })
    for (const user of ['a', 'b', 'c']) foldTrail(retrieval, user, ['first'])
    for (const user of ['a', 'b']) foldTrail(retrieval, user, ['second'], startMs - dayMs)
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('untouched') })
    expect(retrieval.retrieve(aQuery()).pinIds).toEqual(['first', 'untouched'])
    const { pinIds } = retrieval.retrieve(aQuery({ among: pins('untouched', 'second', 'first', 'second', 'unknown') }))
    expect(pinIds).toEqual(['first', 'second', 'untouched'])
  })
})

describe('co-occurrence', () => {
  test('prefers pins that came right after the last pin to pins that came later or before', () => {
    const retrieval = onlySource('co-occurrence')
    for (let i = 0; i < 5; i++) foldTrail(retrieval, `u${i}`, ['before', 'x', 'after', 'far', 'further'])
    const { pinIds } = retrieval.retrieve(aQuery({ recent: recentClicks(['x']) }))
    expect(pinIds).toEqual(['after', 'before', 'far', 'further'])
  })

  test('does not count across sessions', () => {
    const retrieval = onlySource('co-occurrence')
    foldTrail(retrieval, 'u', ['x'], startMs)
    foldTrail(retrieval, 'u', ['y'], startMs + 2 * hourMs)
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['x']) })).pinIds).toEqual([])
  })

  test('does not count the session of the request', () => {
    const retrieval = onlySource('co-occurrence')
    foldTrail(retrieval, 'asker', ['x', 'y'], later - 10 * minuteMs)
    const recent = recentClicks(['x', 'y'], later)
    expect(retrieval.retrieve(aQuery({ recent, atMs: later })).pinIds).toEqual([])
  })
})

describe('session neighbours', () => {
  test('recommend the pins that follow in the trails most similar to the user’s', () => {
    const retrieval = onlySource('session-neighbours')
    for (let i = 0; i < 4; i++) foldTrail(retrieval, `near${i}`, ['a', 'b', 'c', 'good'])
    for (let i = 0; i < 4; i++) foldTrail(retrieval, `far${i}`, ['c', 'q', 'r', 'bad'])
    const { pinIds } = retrieval.retrieve(
      aQuery({ recent: recentClicks(['a', 'b', 'c']), exclude: pins('a', 'b', 'c') }),
    )
    expect(pinIds.indexOf(pins('good')[0]!)).toBe(0)
    expect(pinIds).toContain('bad')
  })

  test('reach across a user’s sessions', () => {
    const retrieval = onlySource('session-neighbours')
    foldTrail(retrieval, 'u', ['a'], startMs)
    foldTrail(retrieval, 'u', ['b'], startMs + 5 * hourMs)
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']), exclude: pins('a') })).pinIds).toEqual(['b'])
  })

  test('leave the user’s own trail out', () => {
    const retrieval = onlySource('session-neighbours')
    foldTrail(retrieval, 'asker', ['a', 'b'])
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']) })).pinIds).toEqual([])
  })

  test('prefer young trails', () => {
    const retrieval = onlySource('session-neighbours')
    foldTrail(retrieval, 'old', ['a', 'then'], startMs - 200 * dayMs)
    foldTrail(retrieval, 'young', ['a', 'now'], startMs)
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']), exclude: pins('a') })).pinIds).toEqual([
      'now',
      'then',
    ])
  })
})

describe('revisit', () => {
  test('learns from everybody how far back users return', () => {
    const retrieval = onlySource('revisit')
    for (let i = 0; i < 20; i++) foldTrail(retrieval, `u${i}`, [`a${i}`, `b${i}`, `a${i}`, `c${i}`, `a${i}`])
    foldTrail(retrieval, 'other', ['x', 'y', 'z'])
    const { pinIds, scores } = retrieval.retrieve(aQuery({ recent: recentClicks(['x', 'y', 'z']) }))
    expect(pinIds[0]).toBe('y')
    expect(scores[0]).toBeGreaterThan(3 * (scores[1] ?? 1))
  })

  test('scores near zero if nobody returns', () => {
    const retrieval = onlySource('revisit')
    for (let i = 0; i < 20; i++) foldTrail(retrieval, `u${i}`, ['a', 'b', 'c', 'x', 'y'])
    const { scores } = retrieval.retrieve(aQuery({ recent: recentClicks(['x', 'y']) }))
    expect(Math.max(...scores)).toBeLessThan(1e-6)
  })
})

describe('trending', () => {
  test('finds a pin with more users than its past predicts, and not a pin that is always popular', () => {
    const retrieval = onlySource('trending')
    for (let hour = 0; hour < 24 * 60; hour++) {
      foldTrail(retrieval, `s${hour}`, ['steady'], startMs + hour * hourMs)
      foldTrail(retrieval, `t${hour}`, ['steady'], startMs + hour * hourMs)
    }
    const atMs = startMs + 24 * 60 * hourMs
    for (let i = 0; i < 12; i++) foldTrail(retrieval, `r${i}`, ['rising'], atMs - i * minuteMs)
    expect(retrieval.retrieve(aQuery({ atMs })).pinIds).toEqual(['rising'])
    expect(retrieval.retrieve(aQuery({ atMs: atMs + 10 * dayMs })).pinIds).toEqual([])
  })

  test('does not make a trend of one user', () => {
    const retrieval = onlySource('trending')
    for (let i = 0; i < 100; i++) foldTrail(retrieval, 'bot', ['p', 'q'], later - i * 1000)
    expect(retrieval.retrieve(aQuery({ atMs: later })).pinIds).toEqual([])
  })

  test('keeps to the locale', () => {
    const retrieval = onlySource('trending')
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p', { locale: 'de' }) })
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('q', { locale: 'fr' }) })
    for (let i = 0; i < 20; i++) foldTrail(retrieval, `u${i}`, ['p', 'q'], later)
    expect(retrieval.retrieve(aQuery({ atMs: later, locale: 'fr' })).pinIds).toEqual(['q'])
  })
})

describe('fresh pins', () => {
  const creator = asId<CreatorId>('creator')
  const topic = asId<TopicId>('topic')
  const board = asId<BoardId>('board')

  test('come from followed creators and topics, the newest first', () => {
    const retrieval = onlySource('fresh-followed')
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('older', { creatorId: creator, createdAtMs: startMs }) })
    retrieval.foldPin({
      kind: 'upsert',
      pin: aCataloguePin('newer', { topics: [topic], createdAtMs: startMs + hourMs }),
    })
    retrieval.foldPin({
      kind: 'upsert',
      pin: aCataloguePin('other', { creatorId: asId<CreatorId>('o'), createdAtMs: startMs }),
    })
    const query = aQuery({ followedCreators: [creator], followedTopics: [topic] })
    expect(retrieval.retrieve(query).pinIds).toEqual(['newer', 'older'])
    expect(retrieval.retrieve(aQuery()).pinIds).toEqual([])
  })

  test('come from saves to followed boards', () => {
    const retrieval = onlySource('fresh-followed')
    retrieval.foldEngagement(anEngagement({ pinId: 'p', action: 'save', boardId: board }))
    retrieval.foldEngagement(anEngagement({ pinId: 'q', action: 'save', boardId: 'another' }))
    expect(retrieval.retrieve(aQuery({ followedBoards: [board] })).pinIds).toEqual(['p'])
  })

  test('are no longer fresh after two weeks', () => {
    const retrieval = onlySource('fresh-followed')
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p', { creatorId: creator, createdAtMs: startMs }) })
    expect(retrieval.retrieve(aQuery({ followedCreators: [creator], atMs: startMs + 15 * dayMs })).pinIds).toEqual([])
  })

  test('of one creator are capped; the newest stay', () => {
    const retrieval = onlySource('fresh-followed', { maxPinsEach: 3 })
    for (let i = 0; i < 10; i++) {
      retrieval.foldPin({
        kind: 'upsert',
        pin: aCataloguePin(`p${i}`, { creatorId: creator, createdAtMs: startMs + i }),
      })
    }
    expect(retrieval.retrieve(aQuery({ followedCreators: [creator] })).pinIds).toEqual(['p9', 'p8', 'p7'])
  })
})

describe('saved boards', () => {
  test('find the neighbours of each board, not only of the latest saves', () => {
    const retrieval = onlySource('saved-boards')
    foldTrail(retrieval, 'cook', ['soup', 'stew'])
    foldTrail(retrieval, 'climber', ['rope', 'ice'])
    for (const pinId of ['rope2', 'rope3']) foldTrail(retrieval, `only-${pinId}`, [pinId])
    const recent = ['soup', 'rope', 'rope2', 'rope3'].map((pinId, i) => ({
      pinId: pins(pinId)[0]!,
      action: 'save' as const,
      occurredAtMs: startMs + i * minuteMs,
      sessionId: asId<SessionId>('s'),
      boardId: asId<BoardId>(i === 0 ? 'food' : 'climbing'),
    }))
    const { pinIds } = retrieval.retrieve(aQuery({ userId: asId<UserId>('me'), recent }))
    expect(new Set(pinIds)).toEqual(new Set(['stew']))
    const deeper = onlySource('saved-boards', { maxPinsPerBoard: 3 })
    foldTrail(deeper, 'cook', ['soup', 'stew'])
    foldTrail(deeper, 'climber', ['rope', 'ice'])
    for (const pinId of ['rope2', 'rope3']) foldTrail(deeper, `only-${pinId}`, [pinId])
    expect(new Set(deeper.retrieve(aQuery({ recent })).pinIds)).toEqual(new Set(['stew', 'ice']))
  })

  test('ignore clicks', () => {
    const retrieval = onlySource('saved-boards')
    foldTrail(retrieval, 'cook', ['soup', 'stew'])
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['soup']) })).pinIds).toEqual([])
  })
})
