const maxWords = 100_000

/** Keeps one string per word, so that pins of a topic share it and lookups hit the processor's cache. */
export function createWords(): { one<Word extends string>(word: Word): Word } {
  const known = new Map<string, string>()
  return {
    one<Word extends string>(word: Word): Word {
      const same = known.get(word)
      if (same !== undefined) return same as Word
      if (known.size >= maxWords) known.clear()
      known.set(word, word)
      return word
    },
  }
}
