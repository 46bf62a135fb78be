import { describe, expect, it } from 'vitest'
import {
  boardIdOf,
  emptyMemory,
  parseMemory,
  withBoard,
  withFollow,
  withoutSave,
  withSave,
  type Save,
} from './memory.ts'

const aSave = (pinId: string): Save => ({
  ...{ pinId, boardId: 'u.kitchen', title: pinId, topics: [], creatorId: 'c', atMs: 1 },
})

describe('memory', () => {
  it('keeps saves newest first, each pin once, and the board of the last', () => {
    const memory = ['a', 'b', 'a'].reduce((last, pinId) => withSave(last, aSave(pinId)), emptyMemory)
    expect(memory.saves.map(({ pinId }) => pinId)).toEqual(['a', 'b'])
    expect(memory.lastBoardId).toBe('u.kitchen')
    expect(withoutSave(memory, 'a').saves.map(({ pinId }) => pinId)).toEqual(['b'])
  })

  it('does not grow without end', () => {
    let memory = emptyMemory
    for (let at = 0; at < 500; at++) memory = withSave(memory, aSave(`p${at}`))
    expect(memory.saves).toHaveLength(200)
  })

  it('has a board once, with an id of the user', () => {
    const board = { boardId: boardIdOf('u', 'Küche & Bad'), name: 'Küche & Bad' }
    expect(board.boardId).toBe('u.ku-che-bad')
    expect(withBoard(withBoard(emptyMemory, board), board).boards).toEqual([board])
    expect(boardIdOf('u', '!!')).toBe('u.board')
  })

  it('follows and stops', () => {
    const following = withFollow(emptyMemory, 'topics', 'cats', true)
    expect(withFollow(following, 'topics', 'cats', true).topics).toEqual(['cats'])
    expect(withFollow(following, 'topics', 'cats', false).topics).toEqual([])
  })

  it('reads what was stored, and survives what is damaged', () => {
    expect(parseMemory(JSON.stringify(withSave(emptyMemory, aSave('a')))).saves).toHaveLength(1)
    expect(parseMemory('{')).toEqual(emptyMemory)
    expect(parseMemory('null')).toEqual(emptyMemory)
    expect(parseMemory(null)).toEqual(emptyMemory)
  })
})
