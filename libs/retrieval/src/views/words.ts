/** Words that pins are described with, numbered, each for as long as a pin has it. */
export interface Words {
  /** Words in use. */
  readonly size: number
  /** The number of a word, used once more from now on; -1 where there is no room for a new one. */
  take(word: string): number
  /** One use less; the number of a word without any is given to another. */
  drop(number: number): void
  /** -1 for a word that is not in use. */
  rowOf(word: string): number
  wordOf(number: number): string
  /** By number, null for numbers not in use. */
  all(): readonly (string | null)[]
  /** Takes over what `all` gave; nothing uses them yet. */
  replace(words: readonly (string | null)[]): void
  /** One use more of a number that `replace` brought. */
  use(number: number): void
  bytes(): number
}

/** No words; at most `maxWords` at a time. */
export function createWords(maxWords: number): Words {
  let numbers = new Map<string, number>()
  let list: (string | null)[] = []
  let uses: number[] = []
  let free: number[] = []
  let characters = 0

  return {
    get size() {
      return numbers.size
    },
    take(word) {
      let number = numbers.get(word)
      if (number === undefined) {
        if (numbers.size >= maxWords) return -1
        number = free.pop() ?? list.length
        list[number] = word
        uses[number] = 0
        numbers.set(word, number)
        characters += word.length
      }
      uses[number] = uses[number]! + 1
      return number
    },
    drop(number) {
      const word = list[number]
      if (word === undefined || word === null) return
      uses[number] = uses[number]! - 1
      if (uses[number] > 0) return
      numbers.delete(word)
      list[number] = null
      free.push(number)
      characters -= word.length
    },
    rowOf: (word) => numbers.get(word) ?? -1,
    wordOf: (number) => list[number] ?? '',
    all: () => list,
    replace(words) {
      list = [...words]
      uses = words.map(() => 0)
      numbers = new Map()
      free = []
      characters = 0
      for (const [number, word] of list.entries()) {
        if (word === null) free.push(number)
        else {
          numbers.set(word, number)
          characters += word.length
        }
      }
    },
    use(number) {
      if (number >= 0) uses[number] = uses[number]! + 1
    },
    // A slot of a list each, a map entry with its string: about 64 bytes beside the characters.
    bytes: () => list.length * 24 + numbers.size * 48 + characters,
  }
}
