import { hash32 } from './hash.ts'

/**
 * A blocked word as texts are compared with it and as it is kept: in the compatible, composed form of Unicode (NFKC: `ＣＡＴＳ` is
 * `CATS`), in lower case, without the white space and the punctuation around it. A word that is all punctuation keeps it.
 */
export function normalWord(word: string): string {
  const plain = folded(word).trim()
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
    for (const [chunk] of folded(text).matchAll(chunks)) {
      if (!add(normalWord(chunk))) break
      if (plainWord.test(chunk)) continue
      for (const [run] of chunk.matchAll(runs)) if (!add(run)) break
    }
  }
  return Uint32Array.from(hashes).sort()
}

/** Lower case can leave the composed form. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}

const outerPunctuation = /^[\p{P}\s]+|[\p{P}\s]+$/gu
const chunks = /\S+/gu
const runs = /[\p{L}\p{M}\p{N}]+/gu
const plainWord = /^[\p{L}\p{M}\p{N}]+$/u
