import type { Pin } from '@freshet/domain/pin'
import type { Column } from '../plan/column.ts'
import type { RankingPage } from './page.ts'

/** A page with the catalogue's entries of its pins; null: the pin is not in the catalogue. */
export interface PageFacts {
  readonly page: RankingPage
  readonly pins: readonly (Pin | null)[]
}

/** Reads a fact as a column. `max`: at most so many elements of a sequence. */
type ReadFact = (facts: PageFacts, max: number) => Column

/** How each fact of `servingInputs` is read from a page, by its name. */
export const factReaders: ReadonlyMap<string, ReadFact> = new Map<string, ReadFact>([
  ['user.id', ({ page }) => categoryColumn([page.request.userId])],
  ['request.surface', ({ page }) => categoryColumn([page.request.surface])],
  ['request.locale', ({ page }) => categoryColumn([page.request.locale])],
  ['pin.id', ({ page }) => categoryColumn(page.pinIds)],
  ['pin.creator', ({ pins }) => categoryColumn(pins.map((pin) => pin?.creatorId ?? ''))],
  [
    'pin.topics',
    ({ pins }, max) =>
      categorySequences(
        pins.map((pin) => pin?.topics ?? []),
        max,
      ),
  ],
  ['candidate.sources', ({ page }, max) => categorySequences(sourcesOf(page), max)],
])

/** Texts as a column of categories; an empty text is missing. */
export function categoryColumn(texts: readonly string[]): Extract<Column, { kind: 'categories' }> {
  const codeOf = new Map<string, number>()
  const codes = new Int32Array(texts.length)
  for (let row = 0; row < texts.length; row++) codes[row] = codeIn(codeOf, texts[row]!)
  return { kind: 'categories', rows: texts.length, codes, names: [...codeOf.keys()] }
}

/** Lists of texts as a column of sequences, each cut after `max` elements. */
export function categorySequences(lists: readonly (readonly string[])[], max: number): Column {
  const offsets = new Int32Array(lists.length + 1)
  const texts: string[] = []
  for (let row = 0; row < lists.length; row++) {
    const list = lists[row]!
    for (let at = 0; at < Math.min(list.length, max); at++) texts.push(list[at]!)
    offsets[row + 1] = texts.length
  }
  return { kind: 'sequences', rows: lists.length, offsets, elements: categoryColumn(texts) }
}

function codeIn(codeOf: Map<string, number>, text: string): number {
  if (text === '') return -1
  const known = codeOf.get(text)
  if (known !== undefined) return known
  codeOf.set(text, codeOf.size)
  return codeOf.size - 1
}

/** For each candidate the names of the sources that found it, in the order of their letters. */
function sourcesOf({ pinIds, request: { sources, foundBy } }: RankingPage): readonly (readonly string[])[] {
  const sorted = sources.map((name, bit) => ({ name, bit })).sort((a, b) => (a.name < b.name ? -1 : 1))
  return pinIds.map((_, row) => {
    const bits = row < foundBy.length ? foundBy[row]! : 0
    return sorted.filter(({ bit }) => (bits >>> bit) % 2 === 1).map(({ name }) => name)
  })
}
