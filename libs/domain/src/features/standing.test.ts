import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

import type { Action } from '../engagement.ts'
import { standingRows } from './standing.ts'

type Row = readonly [action: Action, pinId: string, boardId?: string]

function standing(...rows: readonly Row[]): number[] {
  return [
    ...standingRows({
      count: rows.length,
      action: (row) => rows[row]![0],
      pinId: (row) => rows[row]![1],
      boardId: (row) => rows[row]![2] ?? '',
    }),
  ]
}

describe('A8: an action stays in effect', () => {
  it('as long as nothing undid it', () => {
    expect(standing(['click', 'a'], ['save', 'a', 'x'], ['closeup', 'b'])).toEqual([1, 1, 1])
  })

  it('except a withdrawn save and the likes before it; the unsave counts against the pin', () => {
    expect(standing(['click', 'a'], ['save', 'a', 'x'], ['click', 'b'], ['unsave', 'a', 'x'])).toEqual([0, 0, 1, 1])
  })

  it('if another board still has the pin', () => {
    expect(standing(['save', 'a', 'x'], ['save', 'a', 'y'], ['unsave', 'a', 'x'])).toEqual([0, 1, 0])
  })

  it('if a client names no board', () => {
    expect(standing(['save', 'a', 'x'], ['unsave', 'a'])).toEqual([0, 1])
    expect(standing(['save', 'a'], ['unsave', 'a', 'x'])).toEqual([0, 1])
  })

  it('again once the pin is liked again', () => {
    expect(standing(['save', 'a', 'x'], ['unsave', 'a', 'x'], ['save', 'a', 'x'])).toEqual([0, 0, 1])
    expect(standing(['dismiss', 'a'], ['click', 'a'])).toEqual([0, 1])
  })

  it('except on a pin that is hidden or reported, before or after', () => {
    expect(standing(['save', 'a'], ['hide', 'a'], ['click', 'a'])).toEqual([0, 1, 0])
    expect(standing(['save', 'a'], ['report', 'a'])).toEqual([0, 1])
  })

  it('on a pin whose hide was withdrawn, as if it had never been hidden', () => {
    expect(standing(['save', 'a'], ['hide', 'a'], ['unhide', 'a'])).toEqual([1, 0, 0])
  })

  const actions = fc.constantFrom<Action>('click', 'closeup', 'save', 'unsave', 'dismiss', 'hide', 'unhide')
  const rows = fc.array(fc.tuple(actions, fc.constantFrom('a', 'b', 'c'), fc.constantFrom('', 'x', 'y')), {
    maxLength: 20,
  })

  test('law: a save that is withdrawn immediately changes nothing about other pins', () => {
    fc.assert(
      fc.property(rows, fc.nat(20), (others, at) => {
        const place = Math.min(at, others.length)
        const taken: readonly Row[] = [
          ['save', 'z', 'x'],
          ['unsave', 'z', 'x'],
        ]
        const result = standing(...others.slice(0, place), ...taken, ...others.slice(place))
        expect(result.splice(place, 2)).toEqual([0, 1])
        expect(result).toEqual(standing(...others))
      }),
    )
  })

  test('law: likes and dislikes of one pin are never in effect together', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const result = standing(...given)
        for (const pinId of ['a', 'b', 'c']) {
          const kept = given.filter(([, pin], row) => pin === pinId && result[row] === 1).map(([action]) => action)
          const likes = kept.filter((action) => ['click', 'closeup', 'save'].includes(action))
          expect(likes.length === 0 || likes.length === kept.length).toBe(true)
        }
      }),
    )
  })
})
