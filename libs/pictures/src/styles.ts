import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

/** A drawn style: one set of pictures by one author. Its id is the creator of its pins and the first word of their ids. */
export interface Style {
  readonly style: string
  readonly name: string
  readonly authors: string
  /** SPDX id. */
  readonly license: string
  /** Where the set comes from. */
  readonly url: string
  /** The npm package that holds it. */
  readonly package: string
  /** Whether its pictures are emoji, so that their names in 28 locales are known. */
  readonly isEmoji: boolean
}

/** The styles, in the order of the catalogue. */
export const styles: readonly Style[] = [
  {
    style: 'fluent',
    name: 'Fluent Emoji Flat',
    authors: 'Microsoft Corporation',
    license: 'MIT',
    url: 'https://github.com/microsoft/fluentui-emoji',
    package: '@iconify-json/fluent-emoji-flat',
    isEmoji: true,
  },
  {
    style: 'noto',
    name: 'Noto Emoji',
    authors: 'Google Inc',
    license: 'Apache-2.0',
    url: 'https://github.com/googlefonts/noto-emoji',
    package: '@iconify-json/noto',
    isEmoji: true,
  },
  {
    style: 'openmoji',
    name: 'OpenMoji',
    authors: 'OpenMoji, HfG Schwäbisch Gmünd',
    license: 'CC-BY-SA-4.0',
    url: 'https://openmoji.org',
    package: '@iconify-json/openmoji',
    isEmoji: true,
  },
  {
    style: 'game',
    name: 'Game-icons.net',
    authors: 'Lorc, Delapouite and contributors',
    license: 'CC-BY-3.0',
    url: 'https://game-icons.net',
    package: '@iconify-json/game-icons',
    isEmoji: false,
  },
]

/** The package with the names of emoji in 28 locales. */
export const namesPackage = 'emojibase-data'

const require = createRequire(import.meta.url)

/** Parses a JSON file of a package, e.g. `emojibase-data/en/data.json`. Throws if the package is not installed. */
export function readPackageJson<T>(file: string): T {
  return JSON.parse(readFileSync(require.resolve(file), 'utf8')) as T
}

/** Names and versions of all packages that the catalogue comes from, as a text. */
export function packageVersions(): string {
  return [...styles.map((style) => style.package), namesPackage, '@resvg/resvg-js']
    .map((name) => `${name}@${readPackageJson<{ version: string }>(`${name}/package.json`).version}`)
    .join(' ')
}
