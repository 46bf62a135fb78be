import { isJsonObject } from '@freshet/contracts/json/fields'

/** Where the value of a field comes from: a place in the event, or a constant. */
export type FieldSource =
  | { readonly kind: 'path'; readonly text: string; readonly keys: readonly string[] }
  | { readonly kind: 'constant'; readonly value: string | number }

/** How a field is read: the first source with a value counts. */
export interface FieldRule {
  readonly sources: readonly FieldSource[]
  /** Replaces values, e.g. `Home Feed` by `home`; null: values stay as they are. */
  readonly values: ReadonlyMap<string, string | number> | null
  /** Unit of a number that is a time. */
  readonly unit: 'ms' | 's'
}

/** Largest number of keys in a path. */
const maxKeys = 16

/**
 * Reads a path: names with dots between (`properties.pin_id`, `products.0.id`), or a JSON Pointer (RFC 6901) for names that
 * contain dots (`/properties/pin.id`). Returns a text that says what is wrong if it is neither.
 */
export function parsePath(text: string): FieldSource | string {
  const isPointer = text.startsWith('/')
  const keys = isPointer
    ? text
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : text.split('.')
  if (keys.length > maxKeys) return `has ${keys.length} names; at most ${maxKeys} are allowed`
  if (keys.some((key) => key === ''))
    return 'contains an empty name; give a path such as properties.pin_id, or a JSON Pointer such as /properties/pin.id'
  return { kind: 'path', text, keys }
}

/** The value at a path; undefined: there is none, or it is null or an empty text. */
export function valueAt(event: unknown, keys: readonly string[]): unknown {
  let at = event
  for (const key of keys) {
    if (!(Array.isArray(at) || isJsonObject(at)) || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return at === null || at === '' ? undefined : at
}

/** The value of a field and the source that has it; null: no source has a value. */
export function readField(
  event: unknown,
  { sources, values }: FieldRule,
): { readonly value: unknown; readonly source: FieldSource } | null {
  for (const source of sources) {
    const found = source.kind === 'constant' ? source.value : valueAt(event, source.keys)
    if (found === undefined) continue
    const replaced = typeof found === 'string' || typeof found === 'number' ? values?.get(String(found)) : undefined
    return { value: replaced ?? found, source }
  }
  return null
}

/** A rule that takes the first of some paths. */
export function pathsRule(...paths: readonly string[]): FieldRule {
  return { sources: paths.map((path) => parsePath(path) as FieldSource), values: null, unit: 'ms' }
}

/** The sources of a rule, for messages. */
export function formatSources({ sources }: FieldRule): string {
  return sources.map((source) => (source.kind === 'path' ? source.text : JSON.stringify(source.value))).join(' or ')
}
