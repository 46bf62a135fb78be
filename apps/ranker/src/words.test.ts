import { describe, expect, it } from 'vitest'
import { createWords } from './words.ts'

describe('words', () => {
  it('share a list of the same words in the same order, and nothing else', () => {
    const words = createWords()
    const list = words.list(['a', 'b'])
    expect(list).toEqual(['a', 'b'])
    expect(words.list(['a', 'b'])).toBe(list)
    expect(words.list(['b', 'a'])).toEqual(['b', 'a'])
    expect(words.list(['a b'])).toEqual(['a b'])
    expect(words.list([])).toEqual([])
  })
})
