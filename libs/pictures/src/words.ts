import { plainCode, type EmojiRow } from './emoji.ts'
import type { Picture } from './choose.ts'
import { fold } from './fold.ts'
import { namesPackage, readPackageJson } from './styles.ts'
import { rankWords, type Entry } from './rank-words.ts'

/** Names of pictures in many locales. A locale is read when it is first asked for; the last few stay in memory. */
export interface Words {
  readonly locales: readonly string[]
  /** The name of a picture by its number. */
  title(at: number, locale: string): string
  /** The numbers of pictures that fit all words, best first. */
  search(words: string, locale: string, limit: number): readonly number[]
  topicName(topic: string, locale: string): string
}

/** Tags of BCP 47 and the folders of the package. */
const folders: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'bn da de en es et fi fr hi hu it ja ko lt ms nb nl pl pt ru sv th uk vi zh'.split(' ').map((tag) => [tag, tag]),
  ),
  'en-GB': 'en-gb',
  'es-MX': 'es-mx',
  'zh-Hant': 'zh-hant',
}

/** What is known in one locale. */
interface LocaleNames {
  readonly titles: readonly string[]
  readonly entries: readonly Entry[]
  readonly topics: ReadonlyMap<string, string>
}

const keptLocales = 3

/** Names of the pictures of a catalogue. */
export function createWords(pictures: readonly Picture[]): Words {
  const kept = new Map<string, LocaleNames>()
  const namesIn = (locale: string): LocaleNames => {
    const folder = folderOf(locale)
    const names = kept.get(folder) ?? readNames(folder, pictures)
    kept.delete(folder)
    kept.set(folder, names)
    if (kept.size > keptLocales) kept.delete(kept.keys().next().value!)
    return names
  }
  return {
    locales: Object.keys(folders).sort(),
    title: (at, locale) => namesIn(locale).titles[at]!,
    search: (words, locale, limit) => rankWords(namesIn(locale).entries, words, limit),
    topicName: (topic, locale) => namesIn(locale).topics.get(topic) ?? topic,
  }
}

/** The folder for a locale: the tag itself, its language and script, its language; English for others. */
function folderOf(locale: string): string {
  let parsed: Intl.Locale
  try {
    parsed = new Intl.Locale(locale.replaceAll('_', '-'))
  } catch {
    return 'en'
  }
  const { language, region, script } = parsed.maximize()
  const isLatinAmerican = language === 'es' && region !== undefined && region !== 'ES'
  const isBritish = language === 'en' && /^(?:GB|IE|AU|NZ|IN|ZA)$/.test(region ?? '')
  const candidates = [
    isLatinAmerican ? 'es-MX' : '',
    isBritish ? 'en-GB' : '',
    `${language}-${script}`,
    language === 'no' || language === 'nn' ? 'nb' : language,
  ]
  return candidates.flatMap((tag) => folders[tag] ?? [])[0] ?? 'en'
}

function readNames(folder: string, pictures: readonly Picture[]): LocaleNames {
  const rows = new Map(
    readPackageJson<readonly EmojiRow[]>(`${namesPackage}/${folder}/compact.json`).map((row) => [
      plainCode(row.hexcode),
      row,
    ]),
  )
  const { subgroups } = readPackageJson<{ subgroups: readonly { key: string; message: string }[] }>(
    `${namesPackage}/${folder}/messages.json`,
  )
  const topics = new Map(subgroups.map(({ key, message }) => [key, message]))
  const titles: string[] = []
  const firsts = new Map<string, number>()
  const entries = pictures.map(({ code, title, tags, topic }, at): Entry => {
    const row = code === null ? undefined : rows.get(code)
    titles.push(row?.label ?? title)
    const order = code === null ? at : (firsts.get(code) ?? at)
    if (code !== null) firsts.set(code, order)
    return {
      name: fold(row?.label ?? title),
      tags: (row === undefined ? tags : (row.tags ?? [])).map(fold),
      topic: fold(topics.get(topic) ?? topic),
      order,
    }
  })
  return { titles, entries, topics }
}
