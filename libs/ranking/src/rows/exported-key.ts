import { servingInputs } from '../language/serving-inputs.ts'

/** Keys of an exported row that are not features, by input of serving. */
const factKeys: Readonly<Record<string, string>> = {
  'user.id': 'user',
  'pin.id': 'pin',
  'pin.creator': 'creator',
  'pin.topics': 'topics',
  'request.surface': 'surface',
  'request.locale': 'locale',
  'candidate.sources': 'sources',
  'candidate.position': 'position',
}

const keys: ReadonlyMap<string, string | null> = new Map(
  servingInputs.map(({ name, feature }) => [name, factKeys[name] ?? feature]),
)

/** The key under which `freshet rows export` writes the value of a serving input; null: it writes none. */
export function exportedKey(input: string): string | null {
  return keys.get(input) ?? null
}
