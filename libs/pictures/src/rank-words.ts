import { fold } from './fold.ts'

/** What a search reads of a picture, folded. */
export interface Entry {
  readonly name: string
  readonly tags: readonly string[]
  readonly topic: string
  /** Equal for pictures of the same thing: decides between those that fit as well. */
  readonly order: number
}

const words = /[\p{L}\p{M}\p{N}]+/gu
/** Scripts that write without blanks: what is searched for may stand anywhere in a word. */
const withoutBlanks = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Hangul}]/u

/**
 * The numbers of entries that have all words of a text, best first: those whose name is the text, then by how well each word fits (a word of the name, its beginning,
 * a tag, its beginning, the topic) and how little else the name says. If none has all, those with the most.
 */
export function rankWords(entries: readonly Entry[], text: string, limit: number): readonly number[] {
  const whole = fold(text).trim()
  const wanted = [...new Set(whole.match(words) ?? [])]
  if (wanted.length === 0) return []
  const found: { at: number; hits: number; score: number }[] = []
  entries.forEach((entry, at) => {
    let [hits, score] = [0, entry.name === whole ? 10 : 0]
    for (const word of wanted) {
      const points = pointsOf(entry, word)
      if (points > 0) hits++
      score += points
    }
    if (hits > 0) found.push({ at, hits, score: score - entry.name.length / 100 })
  })
  const most = found.reduce((best, { hits }) => Math.max(best, hits), 0)
  return found
    .filter(({ hits }) => hits === most)
    .sort((a, b) => b.score - a.score || entries[a.at]!.order - entries[b.at]!.order || a.at - b.at)
    .slice(0, Math.max(0, limit))
    .map(({ at }) => at)
}

function pointsOf({ name, tags, topic }: Entry, word: string): number {
  const ofName = fitOf(name, word)
  if (ofName === 2) return 8
  const ofTags = tags.reduce((best, tag) => Math.max(best, fitOf(tag, word)), 0)
  if (ofTags === 2) return 5
  if (ofName === 1) return 4
  if (ofTags === 1) return 2.5
  return fitOf(topic, word) === 2 ? 1 : 0
}

/** 2: the text has the word; 1: a word of it begins so, or it is within a text of a script without blanks; 0: neither. */
function fitOf(text: string, word: string): 0 | 1 | 2 {
  if (text === word) return 2
  let from = text.indexOf(word)
  let best: 0 | 1 = 0
  while (from >= 0) {
    const isStart = from === 0 || !isLetter(text, from - 1)
    if (isStart && !isLetter(text, from + word.length)) return 2
    if (isStart || withoutBlanks.test(word)) best = 1
    from = text.indexOf(word, from + 1)
  }
  return best
}

const letter = /[\p{L}\p{M}\p{N}]/u

function isLetter(text: string, at: number): boolean {
  return at < text.length && letter.test(text[at]!)
}
