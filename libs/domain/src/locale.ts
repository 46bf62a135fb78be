/** A BCP 47 locale as far as matching looks at it. */
export interface Locale {
  /** In canonical case, e.g. `de-CH`, without extensions. */
  readonly tag: string
  readonly language: string
  /** Likely where the tag has none: `Hant` for `zh-TW`; empty where it is not known. */
  readonly script: string
  /** null: of the language wherever it is read. */
  readonly region: string | null
}

/** Languages that say nothing of who can read it: undetermined, several, no linguistic content. */
const anybody: ReadonlySet<string> = new Set(['und', 'mul', 'zxx'])
/** Norwegian is written as Bokmål unless it says otherwise; the registry keeps both tags. */
const sameLanguage: Readonly<Record<string, string>> = { no: 'nb' }
const maxTagCharacters = 64

/** Reads a locale in any case, with `-` or `_`; null where it is not BCP 47. Takes some microseconds: remember what comes often. */
export function parseLocale(text: string): Locale | null {
  if (text.length > maxTagCharacters) return null
  try {
    const locale = new Intl.Locale(text.replaceAll('_', '-'))
    // Of `und` some engines give no language.
    const given = (locale.language as string | undefined) ?? 'und'
    const language = sameLanguage[given] ?? given
    return { tag: locale.baseName, language, script: locale.maximize().script ?? '', region: locale.region ?? null }
  } catch {
    return null
  }
}

/** Whether a locale fits everybody, as a pin without one does. */
export function fitsAnybody({ language }: Locale): boolean {
  return anybody.has(language)
}

/**
 * Which of the offered locales fit a reader, by lookup as in RFC 4647: those of the reader's region and those of the
 * language that name no region; where none names the region, all of the language in its script; where there is none
 * either, all of the language. A reader without a region takes all of the language. Nothing fits where nothing is of the
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
