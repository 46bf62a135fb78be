/** A simulated user: what they like decides what they do. */
export interface PictureUser {
  readonly userId: string
  /** null: one of many that only give the log a past. */
  readonly name: string | null
  /** BCP 47. */
  readonly locale: string
  /** Topics that they like. */
  readonly likes: readonly string[]
  /** Styles that they prefer. */
  readonly styles: readonly string[]
}

/** A simulated user with a name. */
export type NamedUser = PictureUser & { readonly name: string }

/** Users with a name, to try the page as. */
export const namedUsers: readonly NamedUser[] = [
  user('Ada', 'en', ['animal-mammal', 'animal-bird', 'cat-face'], ['fluent']),
  user('Björn', 'sv', ['transport-ground', 'transport-air', 'transport-water'], ['noto', 'openmoji']),
  user('Chiyo', 'ja', ['food-asian', 'food-sweet', 'dishware'], ['fluent', 'noto']),
  user('Diego', 'es-MX', ['sport', 'person-sport', 'award-medal'], ['openmoji']),
  user('Elif', 'en', ['tool', 'clothing', 'face-costume'], ['game']),
  user('Farid', 'fr', ['place-building', 'place-geographic', 'place-other'], ['noto']),
  user('Greta', 'de', ['plant-flower', 'plant-other', 'animal-bug'], ['fluent', 'openmoji']),
  user('Hana', 'ko', ['face-smiling', 'face-affection', 'heart'], ['noto']),
  user('Ivan', 'uk', ['game', 'person-fantasy', 'body-parts'], ['game']),
  user('Jaya', 'hi', ['musical-instrument', 'music', 'arts-crafts'], ['openmoji', 'noto']),
  user('Kofi', 'en-GB', ['food-fruit', 'food-vegetable', 'food-prepared'], ['fluent']),
  user('Lin', 'zh', ['sky-weather', 'science', 'computer'], ['game', 'fluent']),
]

function user(name: string, locale: string, likes: readonly string[], styles: readonly string[]): NamedUser {
  const userId = name
    .normalize('NFKD')
    .replaceAll(/\P{Letter}/gu, '')
    .toLowerCase()
  return { userId, name, locale, likes, styles }
}
