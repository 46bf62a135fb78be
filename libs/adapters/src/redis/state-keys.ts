/**
 * Names of Redis keys. Everything of one partition carries one hash tag, `{user.7}`: the scope's family and the partition,
 * so it shares a slot, and families and partitions spread over a cluster. The generation follows the tag.
 */
export interface StateKeys {
  /** Prefix of every key of a partition. */
  partition(scope: string, partition: number): string
  /** Prefix of every key of a scope, up to the partition's number. */
  scope(scope: string): { readonly before: string; readonly after: string }
  pointer(name: string): string
}

/** Suffixes after the partition's prefix: position, meta, a generation of the dedupe memory, a value. */
export const keyKind = { position: 'p', meta: 'm', dedupe: 'd:', value: 'v:' } as const

/** Throws if the prefix would break the hash tag. */
export function createStateKeys(prefix: string): StateKeys {
  if (/[{}]/.test(prefix)) throw new Error(`the prefix of Redis keys must not contain braces: ${prefix}`)
  const known = new Map<string, { readonly before: string; readonly after: string }>()

  const scopeOf = (scope: string) => {
    let names = known.get(scope)
    if (names === undefined) {
      const dot = scope.lastIndexOf('.')
      const family = dot < 0 ? scope : scope.slice(0, dot)
      const generation = dot < 0 ? '' : scope.slice(dot + 1)
      names = { before: `${prefix}{${safe(family)}.`, after: `}${safe(generation)}/` }
      known.set(scope, names)
    }
    return names
  }

  return {
    partition(scope, partition) {
      const { before, after } = scopeOf(scope)
      return `${before}${partition}${after}`
    },
    scope: scopeOf,
    pointer: (name) => `${prefix}pointer/${name}`,
  }
}

/** Escapes a text for a pattern of Redis' SCAN. */
export function literalPattern(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&')
}

function safe(part: string): string {
  return part.replace(/[%{}/]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}
