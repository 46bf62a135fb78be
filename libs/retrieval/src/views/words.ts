/** Numbers the names in pins' descriptions; a name keeps its number as long as a pin uses it. */
export interface Words {
  /** Words in use. */
  readonly size: number
  /** Adds one use of a name and returns its number; -1 if there is no room for a new name. */
  take(word: string): number
  /** Removes one use; the number of an unused name is reused. */
  drop(number: number): void
  /** The number of a name; -1 if it is not in use. */
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
