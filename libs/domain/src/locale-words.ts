import { fitsAnybody, fittingLocales, parseLocale, type Locale } from './locale.ts'

/** The locale number of pins that fit every reader: without a locale, or in an undetermined or mixed language. */
export const anyLocale = 0
/** The locale number of pins that fit no reader with a locale: the pin's locale is not BCP 47, or there was no room for it. */
export const noLocale = 1

/** Numbers for the locales of pins. A locale keeps its number as long as a pin has it. */
export interface LocaleWords {
  /** Locales in use. */
  readonly size: number
  /** The number of pins since the start whose locale found no room. */
  readonly refused: number
  /** Assigns a locale to a pin and returns the locale's number. */
  take(locale: string | null): number
  /** Releases a pin's locale. */
  drop(number: number): void
  /** By number, 1 for the locales that fit a reader; null if the reader's locale is not BCP 47, or fits every pin. Valid until the next change. */
  fitting(reader: string): Uint8Array | null
  /** The language of a number; null: none. */
  languageOf(number: number): string | null
  /** The language of a reader's locale; null if `fitting` is null. */
  languageFor(reader: string): string | null
  /** Whether some pin has a locale that fits the reader, not counting pins that fit every reader; true if `fitting` is null. */
  isKnown(reader: string): boolean
  /** The locales by number, null for unused numbers; the first two are not locales. */
  tags(): readonly (string | null)[]
  /** Restores the result of `tags`; no pin has any of them yet. */
  replace(tags: readonly (string | null)[]): void
  /** Counts a pin with a number that `replace` restored. */
  use(number: number): void
  bytes(): number
}

interface Fit {
  readonly mask: Uint8Array | null
  readonly isKnown: boolean
  readonly language: string | null
}

const firstWord = 2
const maxRemembered = 256

/** Creates an empty set of at most `maxLocales` locales. */
export function createLocaleWords(maxLocales: number): LocaleWords {
  let locales: (Locale | null)[] = [null, null]
  let uses: number[] = [0, 0]
  let numbers = new Map<string, number>()
  let free: number[] = []
  let refused = 0
  const parsed = new Map<string, Locale | null>()
  const masks = new Map<string, Fit>()

  function remembered<Value>(values: Map<string, Value>, text: string, make: () => Value): Value {
    let value = values.get(text)
    if (value !== undefined) return value
    if (values.size >= maxRemembered) values.clear()
    value = make()
    values.set(text, value)
    return value
  }

  const parse = (text: string): Locale | null => remembered(parsed, text, () => parseLocale(text))

  function fit(reader: string): Fit {
    return remembered(masks, reader, () => {
      const locale = parse(reader)
      if (locale === null || fitsAnybody(locale)) return { mask: null, isKnown: true, language: null }
      const fitting = fittingLocales(
        locale,
        locales.filter((each) => each !== null),
      )
      const mask = Uint8Array.from(locales, (each) => (each !== null && fitting.has(each) ? 1 : 0))
      mask[anyLocale] = 1
      return { mask, isKnown: fitting.size > 0, language: locale.language }
    })
  }

  return {
    get size() {
      return numbers.size
    },
    get refused() {
      return refused
    },
    take(text) {
      if (text === null) return anyLocale
      const locale = parse(text)
      if (locale === null) return noLocale
      if (fitsAnybody(locale)) return anyLocale
      let number = numbers.get(locale.tag)
      if (number === undefined) {
        if (numbers.size >= maxLocales) {
          refused++
          return noLocale
        }
        number = free.pop() ?? locales.length
        locales[number] = locale
        uses[number] = 0
        numbers.set(locale.tag, number)
        masks.clear()
      }
      uses[number] = (uses[number] ?? 0) + 1
      return number
    },
    drop(number) {
      const locale = locales[number]
      if (number < firstWord || locale === null || locale === undefined) return
      uses[number] = (uses[number] ?? 0) - 1
      if ((uses[number] ?? 0) > 0) return
      numbers.delete(locale.tag)
      locales[number] = null
      free.push(number)
      masks.clear()
    },
    fitting: (reader) => fit(reader).mask,
    languageOf: (number) => locales[number]?.language ?? null,
    languageFor: (reader) => fit(reader).language,
    isKnown: (reader) => fit(reader).isKnown,
    tags: () => locales.map((locale) => locale?.tag ?? null),
    replace(tags) {
      locales = tags.map((tag) => (tag === null ? null : parseLocale(tag)))
      uses = tags.map(() => 0)
      numbers = new Map()
      free = []
      for (let number = firstWord; number < locales.length; number++) {
        const locale = locales[number]
        if (locale) numbers.set(locale.tag, number)
        else free.push(number)
      }
      masks.clear()
    },
    use(number) {
      uses[number] = (uses[number] ?? 0) + 1
    },
    // An entry with its tag and its map's slot: about 200 bytes.
    bytes: () => locales.length * 200,
  }
}
