import { fitsAnybody, fittingLocales, parseLocale, type Locale } from './locale.ts'

/** Stands for pins that fit everybody: without a locale, or of a language that says nothing of who can read it. */
export const anyLocale = 0
/** Stands for pins that fit nobody who asks for a locale: theirs is not BCP 47, or there was no room for it. */
export const noLocale = 1

/** The locales that pins are written in, numbered, each for as long as a pin has it. */
export interface LocaleWords {
  /** Locales in use. */
  readonly size: number
  /** Pins whose locale found no room since the start. */
  readonly refused: number
  /** The number of a pin's locale, which the pin has from now on. */
  take(locale: string | null): number
  /** A pin no longer has it. */
  drop(number: number): void
  /** By number, 1 for the locales that fit a reader; null where the reader's is not BCP 47, or fits anybody. Valid until the next change. */
  fitting(reader: string): Uint8Array | null
  /** The language of a number; null where it has none. */
  languageOf(number: number): string | null
  /** The language of a reader's locale; null where `fitting` is. */
  languageFor(reader: string): string | null
  /** Whether a pin has a locale that fits the reader, beside those that fit everybody; true where `fitting` is null. */
  isKnown(reader: string): boolean
  /** The locales by number, null for numbers not in use; the first two are none. */
  tags(): readonly (string | null)[]
  /** Takes over what `tags` gave; no pin has any of them yet. */
  replace(tags: readonly (string | null)[]): void
  /** A pin has a number that `replace` brought. */
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

/** No locales; at most `maxLocales` at a time. */
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
