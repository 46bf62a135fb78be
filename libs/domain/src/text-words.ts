import { hash32 } from './hash.ts'

/**
 * A blocked word as texts are compared with it: composed (NFC), in lower case, without the punctuation around it. A text
 * that is all punctuation stays as it is.
 */
export function normalWord(word: string): string {
  const plain = word.normalize('NFC').toLowerCase()
  const inner = plain.replaceAll(outerPunctuation, '')
  return inner === '' ? plain : inner
}

/**
 * `hash32` of the distinct words of some texts, ascending: at most `max`, the first ones. What stands between white space is
 * a word, and so is each run of letters and digits in it: `e-mail` has the words `e-mail`, `e` and `mail`. A script without
 * white space between words has few, long words.
 */
export function wordHashesOf(texts: readonly string[], max: number): Uint32Array {
  const hashes = new Set<number>()
  const add = (word: string): boolean => {
    if (hashes.size < max) hashes.add(hash32(word))
    return hashes.size < max
  }
  for (const text of texts) {
    for (const [chunk] of text.normalize('NFC').toLowerCase().matchAll(chunks)) {
      if (!add(normalWord(chunk))) break
      if (plainWord.test(chunk)) continue
      for (const [run] of chunk.matchAll(runs)) if (!add(run)) break
    }
  }
  return Uint32Array.from(hashes).sort()
}

const outerPunctuation = /^\p{P}+|\p{P}+$/gu
const chunks = /\S+/gu
const runs = /[\p{L}\p{M}\p{N}]+/gu
const plainWord = /^[\p{L}\p{M}\p{N}]+$/u
