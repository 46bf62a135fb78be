import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, parseDocument, type Node, type Pair } from 'yaml'

/** A value of the chart in the form of its README. */
export interface ValueRow {
  /** Dotted path. */
  readonly path: string
  readonly default: string
  readonly description: string
}

/** Every value of values.yaml with its comment; values of a service without a comment get the comment of the first service. */
export function valueRows(): readonly ValueRow[] {
  const document = parseDocument(readFileSync(join(import.meta.dirname, 'freshet/values.yaml'), 'utf8'))
  const ofFirst = new Map<string, string>()
  return rowsOf(document.contents, '', '').map((row) => {
    const [, key] = /^services\.[^.]+\.(.+)$/.exec(row.path) ?? []
    if (key === undefined) return row
    const description = row.description === '' ? (ofFirst.get(key) ?? '') : row.description
    if (!ofFirst.has(key)) ofFirst.set(key, description)
    return { ...row, description }
  })
}

/** `inherited`: the comment of the map that contains the node. */
function rowsOf(node: Node | null, base: string, inherited: string): ValueRow[] {
  if (!isMap(node)) return []
  return node.items.flatMap((item, i) => {
    const pair = item as Pair<Node, Node | null>
    const key = isScalar(pair.key) ? String(pair.key.value) : ''
    const path = base === '' ? key : `${base}.${key}`
    // YAML stores the first comment of a map before the map.
    const own = commentOf(pair.key) || (i === 0 ? commentOf(node) : '')
    const { value } = pair
    const isSection = /^(services(\.[^.]+)?|[^.]+)$/.test(path)
    if (isMap(value) && value.items.length > 0 && !path.endsWith('.config'))
      return rowsOf(value, path, isSection ? '' : own || inherited)
    const shown = value === null ? 'null' : JSON.stringify((value as { toJSON(): unknown }).toJSON())
    return [{ path, default: shown, description: own || inherited }]
  })
}

function commentOf(node: Node | null): string {
  return (node?.commentBefore ?? '').trim().replaceAll(/\s*\n\s*/g, ' ')
}
