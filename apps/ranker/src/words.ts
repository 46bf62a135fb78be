const maxWords = 100_000
const maxLists = 10_000

/** Shares what many pins have in common, which saves memory and keeps it in the processor's cache. */
export interface Words {
  /** The same string for the same word. */
  one<Word extends string>(word: Word): Word
  /** The same list for the same words in the same order. The words contain no line break. */
  list<Word extends string>(words: readonly Word[]): readonly Word[]
}

/** Keeps at most 100,000 words and 10,000 lists; at the bound it begins again. */
export function createWords(): Words {
  const known = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  const one = <Word extends string>(word: Word): Word => {
    const same = known.get(word)
    if (same !== undefined) return same as Word
    if (known.size >= maxWords) known.clear()
    known.set(word, word)
    return word
  }
  return {
    one,
    list<Word extends string>(words: readonly Word[]): readonly Word[] {
      const key = words.join('\n')
      const same = lists.get(key)
      if (same !== undefined) return same as readonly Word[]
      if (lists.size >= maxLists) lists.clear()
      const list = words.map(one)
      lists.set(key, list)
      return list
    },
  }
}
