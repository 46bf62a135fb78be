import { namesPackage, readPackageJson } from './styles.ts'

/** A thing that emoji draw, in every style the same. */
export interface Concept {
  /** Code points in hexadecimal without variation selectors, e.g. `1F431`. */
  readonly code: string
  /** English name. */
  readonly label: string
  /** English words for it. */
  readonly tags: readonly string[]
  /** Key of its subgroup, e.g. `animal-mammal`. */
  readonly topic: string
  /** Position in the order of Unicode. */
  readonly order: number
}

/** An emoji as the package writes it. */
export interface EmojiRow {
  readonly label: string
  readonly hexcode: string
  readonly tags?: readonly string[]
  readonly order?: number
  readonly group?: number
  readonly subgroup?: number
}

/** Removes the variation selectors, which sets write or leave out. */
export function plainCode(hexcode: string): string {
  return hexcode.toUpperCase().replaceAll('-FE0F', '')
}

/** Parts of people and flags, and symbols that nearly repeat each other. */
const leftOutTopics = new Set([
  'skin-tone',
  'hair-style',
  'country-flag',
  'subdivision-flag',
  'flag',
  'keycap',
  'alphanum',
])
const leftOutLabels =
  /^(?:family|kiss|couple with heart): |facing right$|-thirty$|^(?:black|white) (?:small|medium|medium-small) square$/
/** A man or a woman of something that is also drawn as a person. */
const genderSign = /-200D-264[02]/
const gendered = /^1F46[89](-200D-.+)$/
const clockFace = /^1F55[1-9A-B]$/

/**
 * The concepts whose pictures are in the catalogue, in the order of Unicode: no skin tones, no flags, and one of several that look nearly
 * the same (the person of person, man and woman; one clock face of 24).
 */
export function readConcepts(): readonly Concept[] {
  const { subgroups } = readPackageJson<{ subgroups: Readonly<Record<string, string>> }>(
    `${namesPackage}/meta/groups.json`,
  )
  const rows = readPackageJson<readonly EmojiRow[]>(`${namesPackage}/en/data.json`)
  const codes = new Set(rows.map(({ hexcode }) => plainCode(hexcode)))
  return rows
    .flatMap((row) => {
      const { hexcode, label, tags = [], order = 0, subgroup } = row
      const topic = subgroup === undefined ? undefined : subgroups[subgroup]
      const code = plainCode(hexcode)
      if (topic === undefined || leftOutTopics.has(topic) || leftOutLabels.test(label)) return []
      if (genderSign.test(code) && codes.has(code.replace(genderSign, ''))) return []
      const rest = gendered.exec(code)?.[1]
      if (rest !== undefined && codes.has(`1F9D1${rest}`)) return []
      if (clockFace.test(code)) return []
      return [{ code, label, tags, topic, order }]
    })
    .sort((a, b) => a.order - b.order)
}
