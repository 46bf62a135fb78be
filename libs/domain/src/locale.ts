/** The parts of a BCP 47 locale that matching uses. */
export interface Locale {
  /** In canonical case, e.g. `de-CH`, without extensions. */
  readonly tag: string
  readonly language: string
  /** The likely script if the tag has none: `Hant` for `zh-TW`; empty: not known. */
  readonly script: string
  /** null: no particular region. */
  readonly region: string | null
}

/** Language codes that do not restrict readers: undetermined, several, no linguistic content. */
const anybody: ReadonlySet<string> = new Set(['und', 'mul', 'zxx'])
/** Norwegian without further detail means Bokmål; the registry has both tags. */
const sameLanguage: Readonly<Record<string, string>> = { no: 'nb' }
const maxTagCharacters = 64

/** Parses a locale in any case, with `-` or `_`; null: it is not BCP 47. Takes some microseconds: cache frequent ones. */
export function parseLocale(text: string): Locale | null {
  if (text.length > maxTagCharacters) return null
  try {
    const locale = new Intl.Locale(text.replaceAll('_', '-'))
    // Some engines return no language for `und`.
    const given = (locale.language as string | undefined) ?? 'und'
    const language = sameLanguage[given] ?? given
    return { tag: locale.baseName, language, script: locale.maximize().script ?? '', region: locale.region ?? null }
  } catch {
    return null
  }
}

/** Whether a locale fits every reader, like a pin without a locale. */
export function fitsAnybody({ language }: Locale): boolean {
  return anybody.has(language)
}

/**
 * Which of the offered locales fit a reader, by the lookup of RFC 4647: those of the reader's region and those of the
 * language without a region; if none names the region, all of the language in its script; if there is none
 * either, all of the language. For a reader without a region, all of the language fit. None fits if none is of the
 * language.
 */
export function fittingLocales(reader: Locale, offered: readonly Locale[]): ReadonlySet<Locale> {
  const ofLanguage = offered.filter(({ language }) => language === reader.language)
  const ofScript = ofLanguage.filter(({ script }) => script === reader.script)
  if (ofScript.length === 0) return new Set(ofLanguage)
  const isOfRegion = ({ region }: Locale): boolean => region === reader.region
  if (reader.region === null || !ofScript.some(isOfRegion)) return new Set(ofScript)
  return new Set(ofScript.filter((locale) => locale.region === null || isOfRegion(locale)))
}
