/** Letters that have no accent to take off, and what they are written as without. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
  ð: 'd',
  þ: 'th',
}
const special = new RegExp(`[${Object.keys(plainLetters).join('')}]`, 'gu')
/** Accents of Latin, Greek and Cyrillic letters, and the vowel marks of Arabic. Marks that are letters of their own, as in Hindi or Thai, stay. */
const accents = /[\u0300-\u036f\u064b-\u0652]/gu

/** A text as searches compare it: compatible form of Unicode, lower case, no accents. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(accents, '')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(special, (letter) => plainLetters[letter]!)
}
