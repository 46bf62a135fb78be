import { hash32 } from '@freshet/domain/hash'
import { readConcepts, plainCode, type Concept } from './emoji.ts'
import { createTopicGuess } from './guess-topic.ts'
import { readPackageJson, styles, type Style } from './styles.ts'

/** A picture of the catalogue without its drawing. */
export interface Picture {
  readonly pinId: string
  readonly style: string
  /** Code of the emoji; equal for pictures of the same thing. null: it is not an emoji. */
  readonly code: string | null
  readonly topic: string
  /** English. */
  readonly title: string
  /** English words for it. */
  readonly tags: readonly string[]
}

/** A picture and its drawing. */
export interface Drawn extends Picture {
  readonly svg: string
}

/** A set as the package writes it. */
interface IconSet {
  readonly width?: number
  readonly height?: number
  readonly icons: Readonly<Record<string, Icon>>
}
interface Icon {
  readonly body: string
  readonly width?: number
  readonly height?: number
}

/** Reads a set and hands out its chosen pictures. */
function chosenOf(style: Style, concepts: readonly Concept[]): readonly Drawn[] {
  const set = readPackageJson<IconSet>(`${style.package}/icons.json`)
  return style.isEmoji ? emojiOf(style, set, concepts) : motifsOf(style, set, concepts)
}

/** All pictures, style after style. Reading takes about a second and 200 MB for a moment. */
export function* chooseAll(): Generator<Drawn> {
  const concepts = readConcepts()
  for (const style of styles) yield* chosenOf(style, concepts)
}

function emojiOf({ style, package: name }: Style, set: IconSet, concepts: readonly Concept[]): Drawn[] {
  const chars = readPackageJson<Readonly<Record<string, string>>>(`${name}/chars.json`)
  const icons = new Map(Object.entries(chars).map(([code, icon]) => [plainCode(code), icon]))
  const names = new Set<string>()
  return concepts.flatMap(({ code, label, tags, topic }) => {
    const icon = set.icons[icons.get(code) ?? '']
    const slug = slugOf(label)
    if (icon === undefined || names.has(slug) || notDrawable.has(`${style}-${slug}`)) return []
    names.add(slug)
    return [
      { pinId: `${style}-${slug}`, style, code, topic, title: capitalised(label), tags, svg: svgOf(set, icon, null) },
    ]
  })
}

/** The renderer ends the process with a drawing that lies outside of its frame (github.com/thx/resvg-js/issues/415). */
const notDrawable = new Set(['noto-package'])

/** Numbered series, of which one is like the next, and flags. */
const leftOutMotifs = /^abstract-|^card-\d|^inverted-dice|-flag$|^flag-|^battery-\d|^rank-\d|^(?:[a-z]+-)+0?\d+$/
const countries = new Set(
  'afghanistan argentina australia austria bangladesh belgium brazil bulgaria cambodia canada colombia croatia cuba czech-republic denmark ecuador egypt finland france germany greece hungary iraq ireland italy japan kenya lesotho mali mexico mongolia morocco netherlands niger nigeria norway panama paraguay peru poland portugal romania saudi-arabia sierra-leone south-africa south-korea spain sri-lanka sweden switzerland syria tanzania thailand togo tunisia turkey uganda united-states uruguay venezuela vietnam usa-flag texas moldova luxembourg'.split(
    ' ',
  ),
)

function motifsOf({ style }: Style, set: IconSet, concepts: readonly Concept[]): Drawn[] {
  const guess = createTopicGuess(concepts)
  return Object.entries(set.icons).flatMap(([name, icon]) => {
    if (leftOutMotifs.test(name) || countries.has(name)) return []
    const words = name.split('-')
    const topic = guess(words)
    if (topic === null) return []
    const title = capitalised(words.join(' '))
    return [{ pinId: `${style}-${name}`, style, code: null, topic, title, tags: words, svg: svgOf(set, icon, topic) }]
  })
}

/** Inks that stand out on light and dark ground. */
const inks = [
  '#c2410c',
  '#0f766e',
  '#7c3aed',
  '#be185d',
  '#1d4ed8',
  '#4d7c0f',
  '#b45309',
  '#0e7490',
  '#9333ea',
  '#b91c1c',
]

function svgOf(set: IconSet, { body, width, height }: Icon, topic: string | null): string {
  const [w, h] = [width ?? set.width ?? 16, height ?? set.height ?? 16]
  const drawing = topic === null ? body : body.replaceAll('currentColor', inkOf(topic))
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${w} ${h}">${drawing}</svg>`
}

function inkOf(topic: string): string {
  return inks[hash32(topic) % inks.length]!
}

function slugOf(label: string): string {
  return label
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f’'“”.!]/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
